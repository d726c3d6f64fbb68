/* What a set-up sees of the program: it places a provisioning file, purges, and runs until it is asked to close.
   `running [stubborn]` announces itself as app/wiring/running.py does. */
#include <stdio.h>
#include <windows.h>

static int is(const wchar_t *a, const wchar_t *b) { return wcscmp(a, b) == 0; }

static wchar_t *named(wchar_t *to, const wchar_t *kind) {
    wchar_t folder[MAX_PATH];
    GetModuleFileNameW(NULL, folder, MAX_PATH);
    *wcsrchr(folder, L'\\') = 0;
    CharLowerW(folder);
    for (wchar_t *c = folder; *c; c++)
        if (*c == L'\\') *c = L'/';
    size_t length = wcslen(folder);
    swprintf(to, 400, L"Global\\genba-touch %ls %ls", kind, folder + (length > 180 ? length - 180 : 0));
    return to;
}

static int running(int stubborn) {
    wchar_t name[400];
    CreateMutexW(NULL, FALSE, named(name, L"running"));
    HANDLE wish = CreateEventW(NULL, TRUE, FALSE, named(name, L"close"));
    puts("running");
    fflush(stdout);
    WaitForSingleObject(wish, 120000);
    if (stubborn) Sleep(120000);
    return 0;
}

static int place(const wchar_t *file, const wchar_t *folder) {
    char text[4096] = {0};
    wchar_t target[1024];
    FILE *from = _wfopen(file, L"rb");
    if (!from) return 3;
    fread(text, 1, sizeof text - 1, from);
    fclose(from);
    if (strstr(text, "edited")) return 3;
    swprintf(target, 1024, L"%ls\\provisioning.toml", folder);
    return CopyFileW(file, target, FALSE) ? 0 : 4;
}

static int purge(int force) {
    wchar_t file[1024];
    ExpandEnvironmentStringsW(L"%LOCALAPPDATA%\\genba-touch\\unsent", file, 1024);
    if (GetFileAttributesW(file) != INVALID_FILE_ATTRIBUTES && !force) return 3;
    DeleteFileW(file);
    ExpandEnvironmentStringsW(L"%LOCALAPPDATA%\\genba-touch\\genba-touch.db", file, 1024);
    return DeleteFileW(file) ? 0 : 4;
}

int wmain(int argc, wchar_t **argv) {
    if (argc > 1 && is(argv[1], L"running")) return running(argc > 2);
    for (int i = 1; i < argc; i++) {
        if (is(argv[i], L"place") && i + 3 < argc) return place(argv[i + 1], argv[i + 3]);
        if (is(argv[i], L"purge")) return purge(is(argv[argc - 1], L"--force"));
    }
    return 2;
}
