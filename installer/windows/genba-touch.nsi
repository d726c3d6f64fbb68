; The set-up for Windows. nsis.py writes settings.nsh (version, folders, company) and runs makensis; by hand it is not run.
; Made for a company and not for one PC: what a PC differs in comes by switches or lies beside setup.exe.

Unicode true
Target amd64-unicode
SetCompressor /SOLID lzma
ManifestSupportedOS Win10
ManifestDPIAware true
ManifestLongPathAware true
AllowSkipFiles off
SetOverwrite try

!include settings.nsh
!include codes.nsh

!define SHORTCUT "現場タッチ"
!define SHORTCUT_OFFICE "現場タッチ（事務所）"
!define CONSOLE "genba-touch.exe"
!define WINDOWED "genba-touchw.exe"
!define KEY "Software\genba-touch"
!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\genba-touch"
!define EVENT_SOURCE "SYSTEM\CurrentControlSet\Services\EventLog\Application\genba-touch"
!define OLDEST_BUILD 17763 ; Windows 10 1809, the oldest that Qt 6 runs on
!define LONGEST 1000 ; of a command line: NSIS cuts off what has more than 1023 characters without a word

Name "現場タッチ"
OutFile "${OUT}"
BrandingText "${BRANDING}"
ShowInstDetails nevershow
ShowUninstDetails nevershow
VIProductVersion "${VERSION}.0"
VIAddVersionKey /LANG=0 "ProductName" "現場タッチ"
VIAddVersionKey /LANG=0 "CompanyName" "${PUBLISHER}"
VIAddVersionKey /LANG=0 "FileDescription" "現場タッチ セットアップ"
VIAddVersionKey /LANG=0 "FileVersion" "${VERSION}"
VIAddVersionKey /LANG=0 "ProductVersion" "${VERSION}"
VIAddVersionKey /LANG=0 "LegalCopyright" "Apache-2.0 AND EUPL-1.2"

!ifdef SIGN
  !uninstfinalize `${SIGN} "%1"` = 0
  !finalize `${SIGN} "%1"` = 0
!endif

!define MULTIUSER_EXECUTIONLEVEL Highest
!define MULTIUSER_MUI
!define MULTIUSER_NOUNINSTALL
!define MULTIUSER_INSTALLMODE_INSTDIR "genba-touch"
!define MULTIUSER_USE_PROGRAMFILES64
!define MULTIUSER_INSTALLMODE_INSTDIR_REGISTRY_KEY "${KEY}"
!define MULTIUSER_INSTALLMODE_INSTDIR_REGISTRY_VALUENAME "InstallDir"
!define MULTIUSER_INSTALLMODE_DEFAULT_REGISTRY_KEY "${KEY}"
!define MULTIUSER_INSTALLMODE_DEFAULT_REGISTRY_VALUENAME "InstallDir"
!define MULTIUSER_INSTALLMODE_FUNCTION ScopeChosen
!include MUI2.nsh
!include MultiUser.nsh
!include LogicLib.nsh
!include FileFunc.nsh
!include WordFunc.nsh
!include WinVer.nsh

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_ABORTWARNING
!define MUI_CUSTOMFUNCTION_ABORT Cancelled
!define MUI_LANGDLL_REGISTRY_ROOT HKCU
!define MUI_LANGDLL_REGISTRY_KEY "${KEY}"
!define MUI_LANGDLL_REGISTRY_VALUENAME "Language"
!define MUI_LICENSEPAGE_TEXT_TOP "$(LICENSE_TOP)"
!insertmacro MUI_PAGE_LICENSE "${LICENSE}"
!insertmacro MULTIUSER_PAGE_INSTALLMODE
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!define MUI_FINISHPAGE_RUN
!define MUI_FINISHPAGE_RUN_TEXT "$(START_NOW)"
!define MUI_FINISHPAGE_RUN_FUNCTION StartProgram
!insertmacro MUI_PAGE_FINISH
!define MUI_UNCONFIRMPAGE_TEXT_TOP "$(KEPT)"
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "Japanese"
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_RESERVEFILE_LANGDLL
!include strings.nsh
!include common.nsh

; Administrators may change it, everybody may read it; new files in it inherit that.
!define CLOSED "O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)"
; Everybody may add a file, and change his own.
!define FOR_MARKS "O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;;0x1200ab;;;BU)(A;OIIO;0x1200a9;;;BU)(A;OIIO;FA;;;CO)"

!macro RIGHTS PATH SDDL
  System::Call 'advapi32::ConvertStringSecurityDescriptorToSecurityDescriptorW(w "${SDDL}", i 1, *p .r1, p 0) i .r0'
  ${If} $0 <> 0
    ; owner, rights, and those of the folder above no more
    System::Call 'advapi32::SetFileSecurityW(w "${PATH}", i 0x80000005, p r1) i .r0'
    System::Call 'kernel32::LocalFree(p r1)'
  ${EndIf}
  ${If} $0 = 0
    ${Log} "the rights could not be set: ${PATH}"
  ${EndIf}
!macroend

Var AllUsers   ; 1 or 0: what is installed, or taken away
Var Scope      ; '', AllUsers, CurrentUser: what a switch asks for
Var Folder     ; what /D= asks for
Var Config     ; provisioning.toml to take; '' for none
Var ItKey      ; it-key.pem to take; '' for none
Var Autostart  ; '', yes, no
Var Back       ; 1: an older version may take the place of a newer one
Var After      ; process to wait for
Var StartAfter ; 1: open the program at the end of a silent set-up
Var Side       ; folder that everything is unpacked to
Var Before     ; version that was installed; '' for none

!insertmacro COMMON ""

; What an end in the middle takes away again.
Function CleanUp
  SetOutPath "$TEMP"
  ${If} $Side != ""
    StrCpy $2 0
    ${Do}
      RMDir /r "$Side"
      ${IfNot} ${FileExists} "$Side\*.*"
        ${ExitDo}
      ${EndIf}
      Sleep 500
      IntOp $2 $2 + 1
    ${LoopUntil} $2 >= 10
  ${EndIf}
FunctionEnd

Function Cancelled
  SetErrorLevel ${EXIT_CANCELLED}
FunctionEnd

Function .onInstFailed
  ${Log} "failed: a file could not be written (exit ${EXIT_FAILED})"
  Call CleanUp
  SetErrorLevel ${EXIT_FAILED}
FunctionEnd

; The name alone: what follows it may be a code that somebody put there.
Function WrongSwitch
  StrCpy $0 $R1 1
  ${If} $0 != "/"
    StrCpy $R1 "..."
  ${EndIf}
  ${Fail} ${EXIT_SWITCHES} E_SWITCHES "$R1"
FunctionEnd

Function Switch
  ${If} $R1 == "/S"
  ${AndIf} $R3 = 0
    SetSilent silent
  ${ElseIf} $R1 == "/NCRC"
  ${ElseIf} $R1 == "/AllUsers"
  ${AndIf} $Scope != "CurrentUser"
    StrCpy $Scope "AllUsers"
  ${ElseIf} $R1 == "/CurrentUser"
  ${AndIf} $Scope != "AllUsers"
    StrCpy $Scope "CurrentUser"
  ${ElseIf} $R1 == "/CONFIG"
  ${AndIf} $R2 != ""
    StrCpy $Config $R2
  ${ElseIf} $R1 == "/ITKEY"
  ${AndIf} $R2 != ""
    StrCpy $ItKey $R2
  ${ElseIf} $R1 == "/AUTOSTART"
  ${AndIf} $Autostart != "no"
    StrCpy $Autostart "yes"
  ${ElseIf} $R1 == "/NOAUTOSTART"
  ${AndIf} $Autostart != "yes"
    StrCpy $Autostart "no"
  ${ElseIf} $R1 == "/START"
    StrCpy $StartAfter 1
  ${ElseIf} $R1 == "/ROLLBACK"
    StrCpy $Back 1
  ${ElseIf} $R1 == "/AFTER"
  ${AndIf} $R2 > 0
    StrCpy $After $R2
  ${ElseIf} $R1 == "/NOCLOSE"
    StrCpy $NoClose 1
  ${ElseIf} $R1 == "/CLOSEWAIT"
    Call TakeCloseWait
  ${ElseIf} $R1 == "/LOG"
  ${AndIf} $R2 != ""
    StrCpy $LogFile $R2
  ${ElseIf} $R1 == "/D" ; quoted whole; else NSIS itself has taken it
  ${AndIf} $R2 != ""
    StrCpy $Folder $R2
  ${Else}
    Call WrongSwitch
  ${EndIf}
FunctionEnd

; A whole path of the file in $0, or the end with 87.
Function WholePath
  System::Call 'kernel32::GetFullPathNameW(w r0, i ${NSIS_MAX_STRLEN}, w .r1, p 0)'
  ${IfNot} ${FileExists} "$1"
  ${OrIf} ${FileExists} "$1\*.*"
    ${Fail} ${EXIT_SWITCHES} E_MISSING "$0"
  ${EndIf}
  StrCpy $0 $1
FunctionEnd

Function .onInit
  SetRegView 64
  SetErrorLevel ${EXIT_FAILED}
  StrCpy $LogHandle 0
  StrCpy $LogFile "$TEMP\genba-touch-setup.log"
  StrCpy $CloseWait 60
  StrCpy $NoClose 0
  StrCpy $Back 0
  StrCpy $After 0
  StrCpy $StartAfter 0
  StrCpy $Folder $INSTDIR
  Call ReadSwitches
  ; NSIS cuts /D= off, and one that is no whole path it forgets without a word
  System::Call 'kernel32::GetCommandLineW() p .r0'
  System::Call 'kernel32::lstrlenW(p r0) i .r0'
  StrLen $1 $CMDLINE
  ${If} $0 > $1
  ${AndIf} $Folder == ""
    ${Fail} ${EXIT_SWITCHES} E_SWITCHES "/D"
  ${EndIf}
  ${Log} "set-up ${VERSION} (${BRANDING})"
  ${If} $LogHandle = 0
    ${Fail} ${EXIT_SWITCHES} E_LOG "$LogFile"
  ${EndIf}
  ${IfNot} ${Silent}
    !insertmacro MUI_LANGDLL_DISPLAY
  ${EndIf}
  ${IfNot} ${AtLeastBuild} ${OLDEST_BUILD}
    ${Fail} ${EXIT_WINDOWS} E_WINDOWS ""
  ${EndIf}
  Call OnlyOne
  ${If} $Config == ""
  ${AndIf} ${FileExists} "$EXEDIR\provisioning.toml"
    StrCpy $Config "$EXEDIR\provisioning.toml"
  ${EndIf}
  ${If} $ItKey == ""
  ${AndIf} ${FileExists} "$EXEDIR\it-key.pem"
    StrCpy $ItKey "$EXEDIR\it-key.pem"
  ${EndIf}
  ${If} $Config != ""
    StrCpy $0 $Config
    Call WholePath
    StrCpy $Config $0
  ${EndIf}
  ${If} $ItKey != ""
    StrCpy $0 $ItKey
    Call WholePath
    StrCpy $ItKey $0
  ${EndIf}
  !insertmacro MULTIUSER_INIT
  ${If} $Scope == "AllUsers"
    ${If} $MultiUser.Privileges != "Admin"
      ${Fail} ${EXIT_NO_RIGHTS} E_RIGHTS "/AllUsers"
    ${EndIf}
    Call MultiUser.InstallMode.AllUsers
  ${ElseIf} $Scope == "CurrentUser"
    Call MultiUser.InstallMode.CurrentUser
  ${EndIf}
FunctionEnd

; MultiUser has put its own folder into $INSTDIR: the one that was asked for comes first.
Function ScopeChosen
  ${If} $Folder != ""
    StrCpy $INSTDIR $Folder
  ${EndIf}
FunctionEnd

; Everything that can be known before the first file is written.
Function Check
  StrCpy $AllUsers 0
  ${If} $MultiUser.InstallMode == "AllUsers"
    StrCpy $AllUsers 1
  ${EndIf}
  ${Log} "to $INSTDIR ($MultiUser.InstallMode)"
  ; a whole path, below a drive or a share, without a '\' at its end
  StrCpy $0 $INSTDIR 1 -1
  ${If} $0 == "\"
    StrCpy $INSTDIR $INSTDIR -1
  ${EndIf}
  StrLen $1 $INSTDIR
  StrCpy $2 $INSTDIR 2 1
  StrCpy $3 $INSTDIR 2
  ${If} $1 < 4
  ${OrIf} $2 != ":\"
  ${AndIf} $3 != "\\"
    ${Fail} ${EXIT_SWITCHES} E_SWITCHES "/D=$INSTDIR"
  ${EndIf}
  ReadRegStr $Before SHCTX "${KEY}" "Version"
  ReadRegStr $0 HKLM "${KEY}" "InstallDir"
  ${If} $AllUsers = 0
  ${AndIf} $0 != ""
  ${AndIf} ${FileExists} "$0\${CONSOLE}"
    ${Fail} ${EXIT_OTHER_VERSION} E_SCOPE "$0"
  ${EndIf}
  ${If} $Before != ""
    ${VersionCompare} "$Before" "${VERSION}" $0
    ${If} $0 = 1
    ${AndIf} $Back = 0
      ${Fail} ${EXIT_OTHER_VERSION} E_DOWNGRADE "$Before"
    ${EndIf}
    ${Log} "over version $Before"
  ${EndIf}
  ; cut off between the two renames of an earlier set-up
  ${IfNot} ${FileExists} "$INSTDIR\${CONSOLE}"
  ${AndIf} ${FileExists} "$INSTDIR.old\${CONSOLE}"
    RMDir "$INSTDIR"
    Rename "$INSTDIR.old" "$INSTDIR"
    ${Log} "an earlier set-up was cut off; its old program was put back first"
  ${EndIf}
  ${If} ${FileExists} "$INSTDIR\*.*"
  ${AndIfNot} ${FileExists} "$INSTDIR\${CONSOLE}"
    Delete "$INSTDIR\uninstall.exe" ; left where it was run in its place, to wait for its exit code
    RMDir "$INSTDIR" ; goes when it is empty
    ${If} ${FileExists} "$INSTDIR\*.*"
      ${Fail} ${EXIT_SWITCHES} E_FOLDER "$INSTDIR"
    ${EndIf}
  ${EndIf}
  ${GetRoot} "$INSTDIR" $0
  System::Call 'kernel32::GetDiskFreeSpaceExW(w "$0\", *l .r1, p 0, p 0) i .r2'
  System::Int64Op $1 / 1048576
  Pop $1
  ${If} $2 <> 0
  ${AndIf} $1 L< ${NEEDED_MB}
    ${Fail} ${EXIT_DISK} E_DISK "${NEEDED_MB}"
  ${EndIf}
FunctionEnd

Function WaitForCaller
  ${If} $After > 0
    System::Call 'kernel32::OpenProcess(i 0x00100000, i 0, i $After) p .r1'
    ${If} $1 P<> 0
      IntOp $2 $CloseWait * 1000
      System::Call 'kernel32::WaitForSingleObject(p r1, i r2)'
      System::Call 'kernel32::CloseHandle(p r1)'
    ${EndIf}
  ${EndIf}
FunctionEnd

; The new program judges the file itself, with the key that lies beside it, and copies it with its certificates.
Function PlaceConfig
  ${If} $Config == ""
    Return
  ${EndIf}
  nsExec::ExecToStack '"$Side\${CONSOLE}" --language en provision place "$Config" --into "$Side"'
  Pop $0
  Pop $1
  ${If} $0 != 0
    ${Log} "provision place ended with $0; 'genba-touch provision check' says what is wrong"
    ${Fail} ${EXIT_PROVISIONING} E_PROVISIONING "$Config"
  ${EndIf}
  ${Log} "provisioning file: $Config"
FunctionEnd

; Rename the folder $R5 to $R6; the error flag says that it could not be done. A virus scanner, or a program that ends
; just now, may hold a file for a moment.
Function Move
  StrCpy $2 0
  ${Do}
    ClearErrors
    Rename "$R5" "$R6"
    ${IfNot} ${Errors}
      Return
    ${EndIf}
    Sleep 500
    IntOp $2 $2 + 1
  ${LoopUntil} $2 >= 20
  SetErrors
FunctionEnd

; The old program's folder goes, the new one comes; when the second cannot be done, the first is undone.
Function Swap
  SetOutPath "$TEMP" ; Windows renames no folder that somebody stands in
  ${If} ${FileExists} "$INSTDIR\*.*"
    StrCpy $R5 "$INSTDIR"
    StrCpy $R6 "$INSTDIR.old"
    Call Move
    ${If} ${Errors}
      ${Fail} ${EXIT_FAILED} E_SWAP "$INSTDIR"
    ${EndIf}
  ${EndIf}
  StrCpy $R5 "$Side"
  StrCpy $R6 "$INSTDIR"
  Call Move
  ${If} ${Errors}
    StrCpy $R5 "$INSTDIR.old"
    Call Move
    ${Fail} ${EXIT_FAILED} E_SWAP "$INSTDIR"
  ${EndIf}
  StrCpy $Side ""
FunctionEnd

; %ProgramData% lets everybody make folders. Trusted files (it-key.pem, provisioning.toml) lie in this one too, so it is
; closed; where accounts leave their mark is a folder of its own, from which nothing trusted is read.
Function MachineFolder
  StrCpy $4 "$APPDATA\genba-touch"
  ReadRegDWORD $5 HKLM "${KEY}" "MachineFolder"
  ${If} ${FileExists} "$4\*.*"
  ${AndIf} $5 != 1
    System::Call 'advapi32::GetNamedSecurityInfoW(w r4, i 1, i 1, *p .r1, p 0, p 0, p 0, *p .r2) i .r0'
    StrCpy $6 0
    ${If} $0 = 0
      System::Call 'advapi32::IsWellKnownSid(p r1, i 26) i .r6' ; administrators
      ${If} $6 = 0
        System::Call 'advapi32::IsWellKnownSid(p r1, i 22) i .r6' ; the system
      ${EndIf}
      System::Call 'kernel32::LocalFree(p r2)'
    ${EndIf}
    ${If} $6 = 0
      Rename "$4" "$4.not-trusted"
      ${Log} "made by an ordinary user before this set-up, so it was put aside: $4.not-trusted"
    ${EndIf}
  ${EndIf}
  CreateDirectory "$4\accounts"
  !insertmacro RIGHTS "$4" "${CLOSED}"
  !insertmacro RIGHTS "$4\accounts" "${FOR_MARKS}"
  WriteRegDWORD HKLM "${KEY}" "MachineFolder" 1
  ; the event viewer then shows our sentences (docs/monitoring.md)
  WriteRegExpandStr HKLM "${EVENT_SOURCE}" "EventMessageFile" "%SystemRoot%\System32\EventCreate.exe"
  WriteRegDWORD HKLM "${EVENT_SOURCE}" "TypesSupported" 7
FunctionEnd

Function Register
  WriteRegStr SHCTX "${KEY}" "Version" "${VERSION}"
  WriteRegStr SHCTX "${KEY}" "InstallDir" "$INSTDIR"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayName" "現場タッチ"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "Publisher" "${PUBLISHER}"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\${WINDOWED}"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "EstimatedSize" ${SIZE_KB}
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoRepair" 1
FunctionEnd

Function Shortcuts
  SetOutPath "$INSTDIR"
  ; somebody who has taken it out of the sign-in does not find it there again after an upgrade
  ${If} $Autostart == ""
    StrCpy $Autostart "yes"
    ${If} $Before != ""
    ${AndIfNot} ${FileExists} "$SMSTARTUP\${SHORTCUT}.lnk"
      StrCpy $Autostart "no"
    ${EndIf}
  ${EndIf}
  CreateShortcut "$SMPROGRAMS\${SHORTCUT}.lnk" "$INSTDIR\${WINDOWED}" "start"
  CreateShortcut "$SMPROGRAMS\${SHORTCUT_OFFICE}.lnk" "$INSTDIR\${WINDOWED}" "office"
  ${If} $Autostart == "yes"
    CreateShortcut "$SMSTARTUP\${SHORTCUT}.lnk" "$INSTDIR\${WINDOWED}" "start --at-sign-in"
  ${Else}
    Delete "$SMSTARTUP\${SHORTCUT}.lnk"
  ${EndIf}
  SetOutPath "$TEMP"
FunctionEnd

; As the person and not as the administrator that the set-up may run as: keys belong to an account.
Function StartProgram
  ${If} $MultiUser.Privileges == "Admin"
    Exec '"$WINDIR\explorer.exe" "$SMPROGRAMS\${SHORTCUT}.lnk"'
  ${Else}
    Exec '"$INSTDIR\${WINDOWED}" start'
  ${EndIf}
FunctionEnd

Section "-Program"
  Call Check
  Call WaitForCaller
  StrCpy $Side "$INSTDIR.new"
  RMDir /r "$Side"
  RMDir /r "$INSTDIR.old"
  ${If} ${FileExists} "$Side\*.*"
    ${Fail} ${EXIT_FAILED} E_COPY "$Side"
  ${EndIf}
  ${If} $AllUsers = 1
    CreateDirectory "$Side" ; wherever it lies, also outside of Program Files: IT's key in it is trusted
    !insertmacro RIGHTS "$Side" "${CLOSED}"
  ${EndIf}
  ClearErrors
  SetOutPath "$Side"
  File /r "${PROGRAM}/*.*"
  WriteUninstaller "$Side\uninstall.exe"
  ${If} ${Errors}
    ${Fail} ${EXIT_FAILED} E_COPY "$Side"
  ${EndIf}
  ; what IT put there stays; what this set-up brings takes its place; what is given to it takes that one's
  ${If} ${FileExists} "$INSTDIR\*.*"
    CopyFiles /SILENT "$INSTDIR\*.pem" "$Side"
    CopyFiles /SILENT "$INSTDIR\provisioning.toml" "$Side"
    CopyFiles /SILENT "$INSTDIR\update-root.json" "$Side"
    ClearErrors
  ${EndIf}
  !ifdef BROUGHT
    File /r "${BROUGHT}/*.*"
  !endif
  ${If} $ItKey != ""
    ClearErrors
    CopyFiles /SILENT "$ItKey" "$Side\it-key.pem"
    ${Log} "IT's key: $ItKey"
  ${EndIf}
  ${If} ${Errors}
    ${Fail} ${EXIT_FAILED} E_COPY "$Side"
  ${EndIf}
  Call PlaceConfig
  Call CloseProgram
  Call Swap
  ${If} $AllUsers = 1
    Call MachineFolder
  ${EndIf}
  Call Shortcuts
  Call Register
  RMDir /r "$INSTDIR.old"
  ${If} ${FileExists} "$INSTDIR.old\*.*"
    ${Log} "somebody holds a file of the old program; the next set-up takes it away: $INSTDIR.old"
  ${EndIf}
  ${If} ${Silent}
  ${AndIf} $StartAfter = 1
    Call StartProgram
  ${EndIf}
  ${Log} "done"
  SetErrorLevel ${EXIT_DONE}
SectionEnd

!include uninstall.nsh
