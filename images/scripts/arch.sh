#!/bin/sh
# arch.sh - packages of Arch put into an image, inside the appliance, or made into a base on this host: a function and
# its arguments, called by builder/bake/. A change that makes other images of the same recipes needs new formats in
# builder/bake/source.c.
# SPDX-License-Identifier: Apache-2.0
set -eu
# pacman leaves out, without a word, files whose names its locale cannot hold.
export LC_ALL=C.UTF-8
cache=/var/cache/airbuild

# ---- both -----------------------------------------------------------------------------------------------------------

# make_keyring FOLDER [KEYS]: pacman's keyring, of what the system trusts for Arch, or of the public keys in that file.
# The folder's path has at most 80 bytes: the agent's socket is in it. pacman-key --init makes a master key when there
# is none: RSA of 4096 bits, minutes in emulation. One that lives as long as the bake may be of a kind that is made at
# once. A key that is not in the keyring is asked of no server: nothing would trust it.
make_keyring() {
    mkdir -p "$1"
    chmod 0700 "$1"
    gpg --homedir "$1" --batch --quiet --pinentry-mode loopback --passphrase '' \
        --quick-generate-key 'airbuild, this bake only' ed25519 cert never
    echo disable-dirmngr >"$1/gpg.conf"
    pacman-key --gpgdir "$1" --init
    if [ $# = 1 ]; then
        pacman-key --gpgdir "$1" --populate archlinux
        return
    fi
    pacman-key --gpgdir "$1" --add "$2"
    gpg --batch --quiet --with-colons --show-keys "$2" |
        awk -F : '$1 == "pub" { on = 1 } on && $1 == "fpr" { print $10; on = 0 }' |
        while read -r key; do pacman-key --gpgdir "$1" --lsign-key "$key"; done
}

# end_keyring FOLDER: ends its agents.
end_keyring() {
    gpgconf --homedir "$1" --kill all || true
}

# without_sandbox CONF: no sandbox around downloads, where this pacman has one (7 and later); it asks for more than
# kernels of appliances and containers give.
without_sandbox() {
    if pacman -S --help | grep -q -e --disable-sandbox; then
        sed -i '1a DisableSandbox' "$1"
    fi
}

# with_packages FOLDER COMMAND...: the command with every package of the folder.
with_packages() {
    from=$1
    shift
    for file in "$from"/*; do
        case $file in *.sig) ;; *) set -- "$@" "$file" ;; esac
    done
    "$@"
}

# ---- in the appliance -----------------------------------------------------------------------------------------------

# The real list of what is installed, but lists of mirrors of our own: the image keeps none.
pac() {
    pacman --config "$cache/pacman.conf" --noconfirm "$@" >"$cache/log" 2>&1 || { cat "$cache/log" >&2; return 1; }
}

ask() {
    pac --noprogressbar --dbpath "$cache/db" "$@"
}

# missing PACKAGE...: prints those that are not installed.
missing() {
    pacman -T "$@" 2>/dev/null || [ $? = 127 ]
}

# list: prints NAME VERSION of all that is installed.
list() {
    pacman -Q
}

# Every hook that would make an initial RAM disk or write GRUB's menu is masked: in an appliance they would look at the
# wrong machine.
mask_hooks() {
    for hook in /usr/share/libalpm/hooks/*.hook /etc/pacman.d/hooks/*.hook; do
        if grep -qsE 'mkinitcpio|dracut|booster|kernel-install|grub' "$hook"; then
            ln -sf /dev/null "$cache/hooks/${hook##*/}"
        fi
    done
}

prepare() {
    mkdir -p "$cache/db" "$cache/hooks" "$cache/packages"
    ln -sfn /var/lib/pacman/local "$cache/db/local"
    mask_hooks
    without_sandbox "$cache/pacman.conf"
}

keyring() {
    trap 'end_keyring "$cache/gnupg"' EXIT
    make_keyring "$cache/gnupg" >"$cache/log" 2>&1 || { cat "$cache/log" >&2; exit 1; }
}

# resolve PACKAGE...: prints REPOSITORY URL of all that would be downloaded.
resolve() {
    ask -Sy
    ask -Sp --print-format '%r %l' "$@"
    cat "$cache/log"
}

download() {
    ask -Sw "$@"
}

# install_downloaded: all of the folder of packages, which then goes.
install_downloaded() {
    with_packages "$cache/packages" pac --noprogressbar -U
    rm -rf "$cache"
}

# ---- on this host ---------------------------------------------------------------------------------------------------

now() {
    echo "airbuild: now: $*"
}

in_root() {
    pacman --config pacman.conf -r "$PWD/root" --dbpath "$PWD/db" --noconfirm --noprogressbar "$@"
}

# The path of a socket has at most 107 bytes (unix(7)), and a draft's is longer: the keyring is made elsewhere.
make_base_keyring() {
    keyring=$(mktemp -d)
    trap 'end_keyring "$keyring"; rm -rf "$keyring"' EXIT
    make_keyring "$keyring" ${1:+"$1"}
    end_keyring "$keyring"
    cp -a "$keyring" gnupg
}

# prefetch PACKAGES...: for each layer, what it will ask for and the new system does not have.
prefetch() {
    rm -rf db/local
    ln -s ../root/var/lib/pacman/local db/local
    number=0
    for names; do
        mkdir "prefetch-$number"
        # shellcheck disable=SC2086 # a list of names
        pacman --config pacman.conf --dbpath "$PWD/db" -T $names >missing || [ $? = 127 ]
        # shellcheck disable=SC2046
        [ ! -s missing ] || in_root --cachedir "$PWD/prefetch-$number" -Sw $(cat missing)
        number=$((number + 1))
    done
}

# bootstrap FOLDER download|kept KEYS PACKAGES [PREFETCH...]: FOLDER/root is made of pacman.conf, early/, steps/ and
# packages/, where all that is installed is in the end, each with its signature, whichever way it came there. KEYS: a
# file of public keys, or empty. Hooks run, in the new system: its initial RAM disk is made by its own tool, as `early`
# says.
bootstrap() {
    cd "$1"
    mode=$2 keys=$3 wanted=$4
    shift 4
    mkdir -p db hooks root
    without_sandbox pacman.conf
    now 'making the keyring'
    make_base_keyring "$keys"
    if [ "$mode" = download ]; then
        now 'downloading packages'
        # shellcheck disable=SC2086 # a list of names
        in_root -Syw $wanted
    fi
    now 'installing packages'
    cp -a early/. root
    with_packages packages pacstrap -c -C pacman.conf -G -M -U root
    [ "$mode" = kept ] || prefetch "$@"
    now 'carrying out the recipe'
    cp -a steps root/airbuild
    arch-chroot root sh -eu /airbuild/script
    rm -rf root/airbuild
}

"$@"
