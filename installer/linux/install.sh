#!/bin/sh
# 現場タッチを、管理者の権限なしで、この利用者のために入れます。
# Installs Genba Touch for this user alone; no administrator needed.
#   sh install.sh              install, repair or upgrade
#   sh install.sh --uninstall  remove the program; what was recorded stays
# Ends with 0, or changes nothing and ends with: 2 wrong words, 3 an older version, 4 it cannot run here, 5 it is running.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
program=$HOME/.local/lib/genba-touch
link=$HOME/.local/bin/genba-touch
share=${XDG_DATA_HOME:-$HOME/.local/share}
units=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user

say() { # Japanese, English
    case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in ja*) echo "$1" ;; *) echo "$2" ;; esac
}

refuse_while_running() {
    for exe in /proc/[0-9]*/exe; do
        case $(readlink "$exe" 2>/dev/null || true) in
        "$program"/genba-touch)
            say "現場タッチが動いています。閉じてから、もう一度お試しください。" \
                "Genba Touch is running. Please close it and try again." >&2
            exit 5
            ;;
        esac
    done
}

refresh() { # menus show it at once where these tools are; elsewhere at the next log-in
    update-desktop-database "$share/applications" >/dev/null 2>&1 || true
    gtk-update-icon-cache -q "$share/icons/hicolor" >/dev/null 2>&1 || true
    systemctl --user daemon-reload >/dev/null 2>&1 || true
}

uninstall() {
    refuse_while_running
    systemctl --user disable genba-touch-kiosk >/dev/null 2>&1 || true
    rm -rf "$program" "$program.new" "$program.old" "$program.next" "$program.previous" "$program.part"
    rm -f "$link" "$share/applications/genba-touch.desktop" "$units/genba-touch-kiosk.service" \
        "$share/icons/hicolor/256x256/apps/genba-touch.png" "$share/icons/hicolor/scalable/apps/genba-touch.svg"
    refresh
    say "取り除きました。記録は残っています: $HOME/.local/share/genba-touch" \
        "Removed. What was recorded is kept: $HOME/.local/share/genba-touch"
}

install() {
    if [ ! -d "$program" ] && [ -d "$program.old" ]; then # an upgrade that was cut off
        mv "$program.old" "$program"
    fi
    new=$(cat "$here/genba-touch/VERSION")
    if [ -f "$program/VERSION" ]; then
        old=$(cat "$program/VERSION")
        if [ "$old" != "$new" ] && [ "$(printf '%s\n%s\n' "$old" "$new" | sort -V | tail -n 1)" = "$old" ]; then
            say "新しい $old が入っています。古い $new には戻しません。" \
                "The newer $old is installed. It is not replaced by the older $new." >&2
            exit 3
        fi
    fi
    refuse_while_running
    rm -rf "$program.new"
    mkdir -p "$(dirname "$program")" "$(dirname "$link")" "$share/applications" "$units" \
        "$share/icons/hicolor/256x256/apps" "$share/icons/hicolor/scalable/apps"
    trap 'rm -rf "$program.new"' EXIT
    cp -R "$here/genba-touch" "$program.new"
    for file in it-key.pem provisioning.toml update-root.json; do # this PC's own: new ones, or those it has
        for from in "$program" "$here"; do
            if [ -f "$from/$file" ]; then cp "$from/$file" "$program.new/$file"; fi
        done
    done
    code=0
    told=$("$program.new/genba-touch" --self-test --no-keyring 2>&1) || code=$?
    case $code in
    0) ;;
    6) echo "$told" | grep '^[!]' >&2 || true ;; # whole, but this PC lacks something that can be added any time
    *)
        echo "$told" >&2
        say "この PC では動きません。何も変えていません。Debian・Ubuntu なら、管理者が先に入れます:" \
            "It does not run on this PC. Nothing was changed. On Debian or Ubuntu an administrator installs first:" >&2
        echo "  sudo apt-get install $(cat "$here/share/packages.txt")" >&2
        exit 4
        ;;
    esac
    rm -rf "$program.old"
    if [ -d "$program" ]; then mv "$program" "$program.old"; fi
    mv "$program.new" "$program"
    rm -rf "$program.old"
    ln -sfn "$program/genba-touch" "$link"
    sed "s|^Exec=genba-touch|Exec=\"$link\"|" "$here/share/genba-touch.desktop" >"$share/applications/genba-touch.desktop"
    sed "s|^ExecStart=.*|ExecStart=%h/.local/bin/genba-touch|" "$here/share/genba-touch-kiosk.service" \
        >"$units/genba-touch-kiosk.service"
    cp "$here/share/genba-touch.png" "$share/icons/hicolor/256x256/apps/"
    cp "$here/share/genba-touch.svg" "$share/icons/hicolor/scalable/apps/"
    refresh
    say "現場タッチ $new を入れました: $link" "Genba Touch $new is installed: $link"
    if ! ls /etc/udev/rules.d/*genba-touch-pasori* /usr/lib/udev/rules.d/*genba-touch-pasori* >/dev/null 2>&1; then
        say "USB の PaSoRi を使うには、管理者が $here/share/70-genba-touch-pasori.rules を /etc/udev/rules.d/ に置きます。" \
            "For a PaSoRi on USB, an administrator puts $here/share/70-genba-touch-pasori.rules into /etc/udev/rules.d/."
    fi
}

case $# in
0) install ;;
1) if [ "$1" = --uninstall ]; then uninstall; else
    sed -n '2,6s/^# //p' "$0" >&2
    exit 2
fi ;;
*)
    sed -n '2,6s/^# //p' "$0" >&2
    exit 2
    ;;
esac
