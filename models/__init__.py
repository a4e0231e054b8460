"""What models there are, where their files live, and how to fetch, launch and talk to one."""
