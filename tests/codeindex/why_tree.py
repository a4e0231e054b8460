"""A project with something of every kind that is left out."""

from __future__ import annotations

CODE = "x = 1\n"
TREE: dict[str, str | bytes] = {
    ".gitignore": "# built\nbuild/\n*.tmp.py\n",
    "src/a.py": CODE,
    "src/b.tmp.py": CODE,
    "src/own.py": CODE,
    "src/.hearthignore": "own.py\n",
    "build/x/y.py": CODE,
    "build/x/z/w.py": CODE,
    "node_modules/p/i.js": "let a = 1;\n",
    "node_modules/p/min.min.js": "let a=1;\n",
    "node_modules/p/i.js.map": "{}\n",
    "node_modules/p/node_modules/q/j.js": "let b = 1;\n",
    "env/pyvenv.cfg": "home = x\n",
    "env/lib/x.py": CODE,
    ".git/config": "x\n",
    ".git/hook.py": CODE,
    ".aws/a.py": CODE,
    ".env": "A=1\n",
    "key.pem": "x\n",
    "package-lock.json": "{}\n",
    "big.py": CODE * 200_000,
    "data.csv": "a,b\n",
    "bin.py": b"\0\1\2",
}
