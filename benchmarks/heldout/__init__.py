"""Code that nothing here has learned from: whole projects, cut where cursors stand."""
