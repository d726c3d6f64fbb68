"""Packages for Linux: a .deb for whole PCs, a .tar.xz for one user without an administrator."""
