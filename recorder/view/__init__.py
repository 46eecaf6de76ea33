"""`recorder view`: a session as a page for a browser, or in the viewer of rerun."""
