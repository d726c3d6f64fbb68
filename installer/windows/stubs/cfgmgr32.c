/* What wine 8's cfgmgr32 lacks: pyserial, which comes with nfcpy, looks this up when it is imported. All other names
   are setupapi's (dlls.py). */
#include <windows.h>

__declspec(dllexport) DWORD WINAPI CM_MapCrToWin32Err(DWORD result, DWORD otherwise)
{
    return result == 0 ? ERROR_SUCCESS : otherwise;
}
