; A company's set-up: the common set-up and this company's files in one program, so that fifty companies take minutes and
; not an hour. Unpacks both into a folder of its own, hands over with the same switches, and ends with the same exit code.
; installer/companies.py writes settings.nsh and runs makensis; by hand it is not run.

Unicode true
Target amd64-unicode
SetCompress off ; the set-up inside is compressed already
ManifestSupportedOS Win10
ManifestDPIAware true
ManifestLongPathAware true
RequestExecutionLevel highest ; as the set-up inside: who asks is asked once
SilentInstall silent          ; all that is to be seen is the set-up inside
AllowSkipFiles off

!include settings.nsh
!include codes.nsh
!include FileFunc.nsh
!include LogicLib.nsh

!define LONGEST 1000 ; of a command line, as in genba-touch.nsi

Name "現場タッチ"
OutFile "${OUT}"
Icon "${ICON}"
VIProductVersion "${VERSION}.0"
VIAddVersionKey /LANG=0 "ProductName" "現場タッチ"
VIAddVersionKey /LANG=0 "CompanyName" "${PUBLISHER}"
VIAddVersionKey /LANG=0 "FileDescription" "現場タッチ セットアップ — ${COMPANY}"
VIAddVersionKey /LANG=0 "FileVersion" "${VERSION}"
VIAddVersionKey /LANG=0 "ProductVersion" "${VERSION}"
VIAddVersionKey /LANG=0 "LegalCopyright" "Apache-2.0 AND EUPL-1.2"

Function .onInstFailed
  SetErrorLevel ${EXIT_FAILED}
FunctionEnd

Section
  SetErrorLevel ${EXIT_FAILED}
  InitPluginsDir
  System::Call 'kernel32::GetCurrentDirectoryW(i ${NSIS_MAX_STRLEN}, w .r1)'
  ; the set-up inside takes what lies beside it
  SetOutPath "$PLUGINSDIR\set-up"
  File "/oname=genba-touch-setup.exe" "${BASE}"
  File /r "${BROUGHT}/*.*"
  SetOutPath "$1" ; names in switches count from here
  StrCpy $2 ""
  ; a file that lies beside this set-up comes before the one inside, as with the common set-up; a switch before both
  ${If} ${FileExists} "$EXEDIR\provisioning.toml"
    StrCpy $2 '$2 "/CONFIG=$EXEDIR\provisioning.toml"'
  ${EndIf}
  ${If} ${FileExists} "$EXEDIR\it-key.pem"
    StrCpy $2 '$2 "/ITKEY=$EXEDIR\it-key.pem"'
  ${EndIf}
  ${GetParameters} $3
  StrCpy $4 '"$PLUGINSDIR\set-up\genba-touch-setup.exe"$2 $3'
  ${If} $INSTDIR != "" ; NSIS takes /D= for itself, and wants it last and without quotes
    StrCpy $4 "$4 /D=$INSTDIR"
  ${EndIf}
  StrLen $5 $CMDLINE
  StrLen $6 $4
  ${If} $5 >= ${LONGEST}
  ${OrIf} $6 >= ${LONGEST}
    SetErrorLevel ${EXIT_SWITCHES}
    Quit
  ${EndIf}
  ClearErrors
  ExecWait $4 $0
  ${IfNot} ${Errors}
    SetErrorLevel $0
  ${EndIf}
SectionEnd
