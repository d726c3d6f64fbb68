; Exit codes of the set-up and of uninstall.exe. docs/packaging.md has the same table (tests/packaging/test_setup_texts.py).
; Windows' own numbers, so that Intune and Configuration Manager understand them: 1618 is "try again later" there.

!define EXIT_DONE 0
!define EXIT_CANCELLED 1602
!define EXIT_NO_RIGHTS 5
!define EXIT_PROVISIONING 13
!define EXIT_SWITCHES 87
!define EXIT_DISK 112
!define EXIT_WINDOWS 1150
!define EXIT_FAILED 1603
!define EXIT_RUNNING 1618
!define EXIT_OTHER_VERSION 1638
!define EXIT_UNSENT 4309
!define EXIT_PURGE 4310
