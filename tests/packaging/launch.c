/* Runs a command line exactly as it stands in a file (UTF-16), waits, and prints the whole exit code: wine hands only
   its last eight bits to Linux. With a second word nobody waits. */
#include <stdio.h>
#include <windows.h>

int wmain(int argc, wchar_t **argv) {
    static wchar_t line[8192];
    FILE *file = _wfopen(argv[1], L"rb");
    if (!file) return 1;
    fread(line, sizeof(wchar_t), 8191, file);
    fclose(file);
    STARTUPINFOW how = {sizeof how};
    PROCESS_INFORMATION it;
    if (!CreateProcessW(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &how, &it)) {
        printf("not started: %lu\n", GetLastError());
        return 1;
    }
    DWORD code = 0;
    if (argc < 3) {
        WaitForSingleObject(it.hProcess, INFINITE);
        GetExitCodeProcess(it.hProcess, &code);
    }
    printf("%lu\n", code);
    return 0;
}
