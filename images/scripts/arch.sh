#!/bin/sh
# arch.sh - functions of builder/bake/ that install Arch's packages into an image, inside the appliance, or make a base of
# them on this host. A change that alters the images of the same recipes needs new formats in builder/bake/source.c.
# SPDX-License-Identifier: Apache-2.0
set -eu
# pacman silently omits files whose names its locale cannot represent.
export LC_ALL=C.UTF-8
cache=/var/cache/airbuild

# ---- both -----------------------------------------------------------------------------------------------------------

# make_keyring FOLDER [KEYS]: make pacman's keyring, of the keys that the system trusts for Arch, or of the public keys in
# that file. The folder's path has at most 80 bytes, as the agent's socket is in it. Without a master key pacman-key --init
# would make one of 4096 bits of RSA, which takes minutes in emulation. Missing keys are not fetched, as nothing would trust
# them.
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

# end_keyring FOLDER: stop its agents.
end_keyring() {
    gpgconf --homedir "$1" --kill all || true
}

# without_sandbox CONF: disable the sandbox around downloads (pacman 7 and later), which kernels of appliances and
# containers do not support.
without_sandbox() {
    if pacman -S --help | grep -q -e --disable-sandbox; then
        sed -i '1a DisableSandbox' "$1"
    fi
}

# with_packages FOLDER COMMAND...: run it with every package of the folder as argument.
with_packages() {
    from=$1
    shift
    for file in "$from"/*; do
        case $file in *.sig) ;; *) set -- "$@" "$file" ;; esac
    done
    "$@"
}

# ---- in the appliance -----------------------------------------------------------------------------------------------

# The image's list of installed packages, but our own lists of mirrors, which the image does not keep.
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

# list: prints NAME VERSION of every installed package.
list() {
    pacman -Q
}

# Mask the hooks that make an initial RAM disk or write GRUB's menu, which would look at the appliance.
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

# resolve PACKAGE...: prints REPOSITORY URL of every package to download.
resolve() {
    ask -Sy
    ask -Sp --print-format '%r %l' "$@"
    cat "$cache/log"
}

download() {
    ask -Sw "$@"
}

# install_downloaded: install all of the folder of packages, and delete it.
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

# The path of a socket has at most 107 bytes (unix(7)), and a draft's is longer, so the keyring is made elsewhere.
make_base_keyring() {
    keyring=$(mktemp -d)
    trap 'end_keyring "$keyring"; rm -rf "$keyring"' EXIT
    make_keyring "$keyring" ${1:+"$1"}
    end_keyring "$keyring"
    cp -a "$keyring" gnupg
}

# prefetch PACKAGES...: download, for each layer, its packages that the new system lacks.
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

# bootstrap FOLDER download|kept KEYS PACKAGES [PREFETCH...]: make FOLDER/root of pacman.conf, early/, steps/ and packages/,
# which finally holds every installed package with its signature. KEYS: a file of public keys, or empty. Hooks run in the
# new system, which makes its initial RAM disk as `early` configures it.
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
