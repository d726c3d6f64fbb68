; Every sentence, in both languages (tests/packaging/test_setup_texts.py). Japanese stands first: it is the default.

!macro SAY NAME JA EN
  LangString ${NAME} ${LANG_JAPANESE} `${JA}`
  LangString ${NAME} ${LANG_ENGLISH} `${EN}`
!macroend

!insertmacro SAY LICENSE_TOP "現場タッチは Apache-2.0 と EUPL-1.2 の無償ソフトウェアです。ほかの人が作った部品の条件は、インストール先の licences フォルダーにあります。" "Genba Touch is free software under Apache-2.0 and EUPL-1.2. The terms of parts made by others are in the folder licences of the program."
!insertmacro SAY START_NOW "現場タッチを始める" "Start Genba Touch now"
!insertmacro SAY E_SWITCHES "指定が正しくありません: $FailWhere" "A switch is wrong: $FailWhere"
!insertmacro SAY E_MISSING "ファイルがありません: $FailWhere" "The file does not exist: $FailWhere"
!insertmacro SAY E_LOG "ログを書けません: $FailWhere" "The log cannot be written: $FailWhere"
!insertmacro SAY E_RIGHTS "すべてのユーザー用にするには、管理者として実行してください。" "To install for all users, run this as an administrator."
!insertmacro SAY E_WINDOWS "Windows 10 バージョン 1809 以降(64 ビット)が必要です。" "Windows 10 version 1809 or later (64 bit) is needed."
!insertmacro SAY E_TWICE "セットアップがもう 1 つ動いています。そちらが終わってから、もう一度実行してください。" "Another set-up is running. Run this again when it has ended."
!insertmacro SAY E_DOWNGRADE "新しいバージョン $FailWhere が入っています。古いバージョンには戻せません。何も変えていません。" "The newer version $FailWhere is installed. This one would be a step back. Nothing was changed."
!insertmacro SAY E_SCOPE "すべてのユーザー用の現場タッチが入っています($FailWhere)。このユーザー用には入れられません。" "Genba Touch is installed for all users ($FailWhere), so not for this one alone."
!insertmacro SAY E_FOLDER "このフォルダーには現場タッチのほかのものが入っています。空か、新しいフォルダーを選んでください: $FailWhere" "The folder holds things that are not Genba Touch's. Choose an empty or a new one: $FailWhere"
!insertmacro SAY E_DISK "ディスクの空きが足りません($FailWhere MB 必要です)。" "There is not enough room on the disk ($FailWhere MB are needed)."
!insertmacro SAY E_COPY "ファイルを書けませんでした。いままでの現場タッチはそのまま使えます: $FailWhere" "A file could not be written. What was installed before still works: $FailWhere"
!insertmacro SAY E_SWAP "フォルダーを入れ替えられませんでした。開いている画面を閉じて、もう一度実行してください。いままでの現場タッチはそのまま使えます: $FailWhere" "The folder could not be replaced. Close whatever is open in it, and run this again. What was installed before still works: $FailWhere"
!insertmacro SAY E_PROVISIONING "設定ファイルが受け入れられません。何も変えていません: $FailWhere" "The provisioning file was refused. Nothing was changed: $FailWhere"
!insertmacro SAY E_RUNNING "現場タッチが動いていて、終了しませんでした。何も変えていません。" "Genba Touch is running and did not close. Nothing was changed."
!insertmacro SAY ASK_CLOSE "現場タッチが動いています。終了してから続けます。記録はすべて保存されます。" "Genba Touch is running. It will be closed; every record is kept."
!insertmacro SAY E_UNSENT "センターに届いていない記録があるか、確かめられません。何も消していません。送信してから、もう一度実行してください。" "There are records that have not reached the centre, or nobody can know. Nothing was removed. Send them, then run this again."
!insertmacro SAY E_PURGE "このアカウントの記録と鍵を消せませんでした。プログラムは残っています。" "This account's records and keys could not be deleted. The program is still installed."
!insertmacro SAY KEPT "現場タッチを取り除きます。記録と鍵は、この PC に残ります。" "Genba Touch will be removed. Records and keys stay on this PC."
