; For the set-up and the uninstaller (UN = "" or "un."): the log, the end with a code, switches, the running program.

Var LogFile
Var LogHandle
Var FailWhere
Var NoClose
Var CloseWait

!macro LOG TEXT
  Push `${TEXT}`
  !ifdef __UNINSTALL__
    Call un.Log
  !else
    Call Log
  !endif
!macroend
!define Log `!insertmacro LOG`

; The end: in the log and, where somebody looks, on the screen. WHERE: file, folder or switch; never a secret.
!macro FAIL CODE SENTENCE WHERE
  StrCpy $FailWhere `${WHERE}`
  ${Log} `failed: ${SENTENCE} (exit ${CODE}): $FailWhere`
  !ifdef __UNINSTALL__
    Call un.CleanUp
  !else
    Call CleanUp
  !endif
  MessageBox MB_OK|MB_ICONSTOP `$(${SENTENCE})` /SD IDOK
  SetErrorLevel ${CODE}
  Quit
!macroend
!define Fail `!insertmacro FAIL`

!macro COMMON UN

; Append a line. The first one opens the file (UTF-16); where that cannot be done, $LogHandle stays 0.
Function ${UN}Log
  Exch $0
  ${If} $LogHandle = 0
    Push $1
    ClearErrors
    FileOpen $LogHandle $LogFile a
    ${If} ${Errors}
      StrCpy $LogHandle 0
    ${Else}
      FileSeek $LogHandle 0 END $1
      ${If} $1 = 0
        FileWriteUTF16LE /BOM $LogHandle ""
      ${EndIf}
    ${EndIf}
    Pop $1
  ${EndIf}
  ${If} $LogHandle <> 0
    Push $1
    Push $2
    Push $3
    Push $4
    Push $5
    Push $6
    Push $7
    ${GetTime} "" "L" $1 $2 $3 $4 $5 $6 $7
    FileWriteUTF16LE $LogHandle "$3-$2-$1 $5:$6:$7 $0$\r$\n"
    Pop $7
    Pop $6
    Pop $5
    Pop $4
    Pop $3
    Pop $2
    Pop $1
  ${EndIf}
  Pop $0
FunctionEnd

; Windows' own way of cutting a command line, so that "/CONFIG=C:\a b\p.toml" and /CONFIG="C:\a b\p.toml" are the same.
; Calls ${UN}Switch with the name in $R1 (with its '/'), the value in $R2, and $R3 = 1 when there was a '='.
Function ${UN}ReadSwitches
  StrLen $0 $CMDLINE
  ${If} $0 >= ${LONGEST}
    ${Fail} ${EXIT_SWITCHES} E_SWITCHES "(${LONGEST})"
  ${EndIf}
  StrCpy $0 $CMDLINE
  System::Call 'shell32::CommandLineToArgvW(w r0, *i .r1) p .r2'
  StrCpy $3 1
  ${DoWhile} $3 < $1
    IntOp $4 $3 * ${NSIS_PTR_SIZE}
    System::Int64Op $2 + $4
    Pop $4
    System::Call '*$4(p .r5)'
    System::Call 'kernel32::lstrcpynW(w .r6, p r5, i ${NSIS_MAX_STRLEN})'
    ; name and value
    StrCpy $R1 $6
    StrCpy $R2 ""
    StrCpy $R3 0
    StrCpy $7 0
    ${Do}
      StrCpy $8 $6 1 $7
      ${If} $8 == ""
        ${ExitDo}
      ${ElseIf} $8 == "="
        StrCpy $R1 $6 $7
        IntOp $7 $7 + 1
        StrCpy $R2 $6 "" $7
        StrCpy $R3 1
        ${ExitDo}
      ${EndIf}
      IntOp $7 $7 + 1
    ${Loop}
    Call ${UN}Switch
    IntOp $3 $3 + 1
  ${Loop}
  System::Call 'kernel32::LocalFree(p r2)'
FunctionEnd

; $R0 = 1 while a program runs from $INSTDIR, in whatever session (app/wiring/running.py announces it).
; $R4: the folder's part of the objects' names.
Function ${UN}IsRunning
  StrCpy $0 $INSTDIR
  System::Call 'kernel32::GetLongPathNameW(w r0, w .r1, i ${NSIS_MAX_STRLEN}) i .r2'
  ${If} $2 <> 0
    StrCpy $0 $1
  ${EndIf}
  System::Call 'user32::CharLowerW(w r0 r0)'
  ; '\' is not allowed there
  StrCpy $R4 ""
  StrCpy $1 0
  ${Do}
    StrCpy $2 $0 1 $1
    ${If} $2 == ""
      ${ExitDo}
    ${ElseIf} $2 == "\"
      StrCpy $2 "/"
    ${EndIf}
    StrCpy $R4 "$R4$2"
    IntOp $1 $1 + 1
  ${Loop}
  ${If} $1 > 180
    StrCpy $R4 $R4 "" -180
  ${EndIf}
  StrCpy $R0 0
  StrCpy $0 "Global\genba-touch running $R4"
  System::Call 'kernel32::OpenMutexW(i 0x00100000, i 0, w r0) p .r1'
  ${If} $1 P= 0
    StrCpy $0 "Local\genba-touch running $R4"
    System::Call 'kernel32::OpenMutexW(i 0x00100000, i 0, w r0) p .r1'
  ${EndIf}
  ${If} $1 P<> 0
    StrCpy $R0 1
    System::Call 'kernel32::CloseHandle(p r1)'
  ${EndIf}
FunctionEnd

; Ask what runs from $INSTDIR to close, and wait. Fails with EXIT_RUNNING when it does not.
Function ${UN}CloseProgram
  Call ${UN}IsRunning
  ${If} $R0 = 0
    Return
  ${EndIf}
  ${If} $NoClose = 1
    ${Fail} ${EXIT_RUNNING} E_RUNNING "/NOCLOSE"
  ${EndIf}
  ${IfNot} ${Silent}
  ${AndIf} ${Cmd} `MessageBox MB_OKCANCEL|MB_ICONINFORMATION "$(ASK_CLOSE)" IDCANCEL`
    ${Log} "cancelled by the person"
    Call ${UN}CleanUp
    SetErrorLevel ${EXIT_CANCELLED}
    Quit
  ${EndIf}
  ${Log} "the program is running: asking it to close"
  StrCpy $0 "Global\genba-touch close $R4"
  System::Call 'kernel32::OpenEventW(i 2, i 0, w r0) p .r5'
  ${If} $5 P= 0
    StrCpy $0 "Local\genba-touch close $R4"
    System::Call 'kernel32::OpenEventW(i 2, i 0, w r0) p .r5'
  ${EndIf}
  ${If} $5 P<> 0
    System::Call 'kernel32::SetEvent(p r5)'
  ${Else}
    ${Log} "nobody may ask it: it belongs to another account"
  ${EndIf}
  IntOp $6 $CloseWait * 2
  ${Do}
    Sleep 500
    Call ${UN}IsRunning
    ${If} $R0 = 0
      ${ExitDo}
    ${EndIf}
    IntOp $6 $6 - 1
  ${LoopUntil} $6 <= 0
  ${If} $5 P<> 0
    System::Call 'kernel32::ResetEvent(p r5)'
    System::Call 'kernel32::CloseHandle(p r5)'
  ${EndIf}
  ${If} $R0 = 1
    ${Fail} ${EXIT_RUNNING} E_RUNNING "$CloseWait s"
  ${EndIf}
  ${Log} "it has closed"
FunctionEnd

; A whole number of seconds in $R2, or the end.
Function ${UN}TakeCloseWait
  IntOp $CloseWait $R2 + 0
  ${If} $CloseWait != $R2
  ${OrIf} $CloseWait < 1
  ${OrIf} $CloseWait > 3600
    ${Fail} ${EXIT_SWITCHES} E_SWITCHES "/CLOSEWAIT"
  ${EndIf}
FunctionEnd

; One set-up or uninstaller at a time on this PC. It ends with the process.
Function ${UN}OnlyOne
  System::Call 'kernel32::CreateMutexW(p 0, i 0, w "Global\genba-touch-setup") p .r1 ?e'
  Pop $0
  ${If} $0 = 183 ; ERROR_ALREADY_EXISTS
  ${OrIf} $0 = 5
    ${Fail} ${EXIT_RUNNING} E_TWICE "Global\genba-touch-setup"
  ${EndIf}
FunctionEnd

!macroend
