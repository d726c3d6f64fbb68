/* Rust's standard library takes its random numbers from here; wine 8 has the same source under its older name. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T size)
{
    while (size) {
        ULONG part = size > 0x10000000 ? 0x10000000 : (ULONG)size;
        if (!RtlGenRandom(buffer, part))
            return FALSE;
        buffer += part;
        size -= part;
    }
    return TRUE;
}
