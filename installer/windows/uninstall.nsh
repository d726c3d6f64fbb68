; uninstall.exe: takes the program away. Data and keys stay, unless /PURGE.

Var Purge

!insertmacro COMMON "un."

Function un.CleanUp
FunctionEnd

Function un.Switch
  ${If} $R1 == "/S"
  ${AndIf} $R3 = 0
    SetSilent silent
  ${ElseIf} $R1 == "/PURGE"
    ${If} $R3 = 0
      StrCpy $Purge "yes"
    ${ElseIf} $R2 == "force"
      StrCpy $Purge "force"
    ${Else}
      ${Fail} ${EXIT_SWITCHES} E_SWITCHES "/PURGE"
    ${EndIf}
  ${ElseIf} $R1 == "/LOG"
  ${AndIf} $R2 != ""
    StrCpy $LogFile $R2
  ${ElseIf} $R1 == "/NOCLOSE"
  ${AndIf} $R3 = 0
    StrCpy $NoClose 1
  ${ElseIf} $R1 == "/CLOSEWAIT"
    Call un.TakeCloseWait
  ${ElseIf} $R1 == "/NCRC"
  ${ElseIf} $R1 == "_?"
  ${Else}
    ${Fail} ${EXIT_SWITCHES} E_SWITCHES "$R1"
  ${EndIf}
FunctionEnd

Function un.onInit
  SetRegView 64
  SetErrorLevel ${EXIT_FAILED}
  StrCpy $LogHandle 0
  StrCpy $LogFile "$TEMP\genba-touch-setup.log"
  StrCpy $CloseWait 60
  StrCpy $NoClose 0
  StrCpy $Purge ""
  !insertmacro MUI_UNGETLANGUAGE
  Call un.ReadSwitches
  ${Log} "uninstall ${VERSION} from $INSTDIR"
  ${If} $LogHandle = 0
    ${Fail} ${EXIT_SWITCHES} E_LOG "$LogFile"
  ${EndIf}
  Call un.OnlyOne
  SetShellVarContext current
  StrCpy $AllUsers 0
  ReadRegStr $0 HKLM "${KEY}" "InstallDir"
  ${If} $0 == $INSTDIR
    SetShellVarContext all
    StrCpy $AllUsers 1
    UserInfo::GetAccountType
    Pop $0
    ${If} $0 != "Admin"
      ${Fail} ${EXIT_NO_RIGHTS} E_RIGHTS "$INSTDIR"
    ${EndIf}
  ${EndIf}
FunctionEnd

Section "Uninstall"
  Call un.CloseProgram
  ${If} $Purge != ""
    ${Log} "purge of this account's data and keys: $Purge"
    StrCpy $1 ""
    ${If} $Purge == "force"
      StrCpy $1 " --force"
    ${EndIf}
    nsExec::ExecToStack '"$INSTDIR\${CONSOLE}" --language en purge --yes$1'
    Pop $0
    Pop $1
    ${Log} "purge ended with $0: $1"
    ${If} $0 == 3
      ${Fail} ${EXIT_UNSENT} E_UNSENT "$INSTDIR"
    ${ElseIf} $0 != 0
      ${Fail} ${EXIT_PURGE} E_PURGE "exit $0"
    ${EndIf}
  ${EndIf}
  SetOutPath "$TEMP"
  Delete "$SMPROGRAMS\${SHORTCUT}.lnk"
  Delete "$SMPROGRAMS\${SHORTCUT_OFFICE}.lnk"
  Delete "$SMSTARTUP\${SHORTCUT}.lnk"
  !insertmacro REMOVE_PROGRAM "$INSTDIR"
  Delete "$INSTDIR\*.pem"
  Delete "$INSTDIR\provisioning.toml"
  Delete "$INSTDIR\update-root.json"
  RMDir /r "$INSTDIR.setup" ; the last update's set-up, where only an administrator writes (app/update/setup_exe.py)
  RMDir "$INSTDIR"
  ${If} ${FileExists} "$INSTDIR\*.*"
    ${Log} "left, because it is not the program's: $INSTDIR"
  ${EndIf}
  DeleteRegKey SHCTX "${UNINSTALL_KEY}"
  DeleteRegKey SHCTX "${KEY}"
  DeleteRegValue HKCU "${KEY}" "Language"
  DeleteRegKey /ifempty HKCU "${KEY}"
  ${If} $AllUsers = 1
    DeleteRegKey HKLM "${EVENT_SOURCE}"
    RMDir "$APPDATA\genba-touch\accounts"
    RMDir "$APPDATA\genba-touch"
  ${EndIf}
  ${Log} "done"
  SetErrorLevel ${EXIT_DONE}
SectionEnd
