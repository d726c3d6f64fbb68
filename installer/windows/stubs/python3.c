/* python3.dll, which libraries of the stable ABI load: every name of it is python311.dll's (dlls.py). */
