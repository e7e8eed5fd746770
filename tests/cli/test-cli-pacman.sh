#!/bin/bash
# test-cli-pacman.sh - unusable Arch mirrors, with this host's pacman, which downloads pacstrap's base: each is refused with
# its own sentence before anything is installed, and leaves nothing. The mirrors have one package. A layer's pacman, in the
# appliance, prints the same messages, and the same code reads them.
# SPDX-License-Identifier: Apache-2.0
set -u
# shellcheck source=tests/assert.sh
. "$(dirname "$0")/../assert.sh"
# shellcheck source=tests/cli/cli.sh
. "$(dirname "$0")/cli.sh"
unset http_proxy https_proxy all_proxy no_proxy HTTPS_PROXY ALL_PROXY NO_PROXY AIRBUILD_ARCH_MIRRORS
www=$scratch/www
mkdir -p "$www" "$scratch/gpg" "$scratch/tmp" "$scratch/keys" "$scratch/assets/images"
chmod 0700 "$scratch/gpg"
export GNUPGHOME=$scratch/gpg AIRBUILD_ASSETS=$scratch/assets
cat >"$AIRBUILD_ASSETS/images/base-arch.yaml" <<'END'
name: base-arch
cmdline: rw
bootstrap: {family: arch, sources: [core], packages: [base]}
steps: []
END

# ---- keys, packages, mirrors ----------------------------------------------------------------------------------------

# key NAME [GPG-OPTION...]: make a signing key, valid for 30 days, and a keyring of its public part.
key() {
    gpg --batch --quiet --passphrase '' "${@:2}" --quick-gen-key "$1 <$1@example.org>" ed25519 sign 30d 2>/dev/null
    gpg --batch --export "$1@example.org" >"$scratch/keys/$1.gpg"
}
key packager
key newcomer
key former --faked-system-time=20200101T000000

# mirror NAME KEY PACKAGE [GPG-OPTION...]: make a mirror with that package, signed by KEY unless that is empty.
mirror() {
    local folder=$www/$1/core/os/x86_64 file
    file=$folder/$3-1-1-any.pkg.tar.zst
    mkdir -p "$folder" "$scratch/root"
    printf '%s\n' "pkgname = $3" "pkgbase = $3" 'pkgver = 1-1' 'pkgdesc = nothing' 'size = 1' 'arch = any' \
        'builddate = 1790000000' 'packager = nobody' >"$scratch/root/.PKGINFO"
    bsdtar -C "$scratch/root" --zstd -cf "$file" .PKGINFO
    [[ -z $2 ]] || gpg --batch --quiet "${@:4}" --local-user "$2@example.org" --detach-sign "$file" 2>/dev/null
    (cd "$folder" && repo-add -q core.db.tar.gz "${file##*/}") >/dev/null
}
mirror good packager base
mirror without packager another
mirror new newcomer base
mirror old former base --faked-system-time=20200102T000000
mirror unsigned '' base
mirror changed packager base
mirror gone packager base
rm "$www"/gone/core/os/x86_64/base-*.zst
for file in "$www"/changed/core/os/x86_64/base-*.zst; do
    printf x | dd of="$file" bs=1 seek=20 conv=notrunc status=none
done

ln -s good "$www/cut"
# /cut: the connection ends where a package is requested; /page: a sign-in page in place of everything, /list: in place of
# the databases, which are not signed.
serve_folder "$www" 'location ~ ^/cut/.*zst { return 444; }
    location ~ ^/list/.*sig { return 404; }
    location ~ ^/(page|list)/ { default_type text/html; return 200 "<html>please sign in"; }'
trap 'kill "$server"; wait "$server"; gpgconf --kill all; rm -rf "$scratch"' EXIT
base=http://127.0.0.1:$((port + 1))
export TMPDIR=$scratch/tmp # where nothing may be left

# refused WHAT STATUS SENTENCE MIRROR [KEYRING]: ok if images refuses that mirror in one sentence that begins so, and leaves
# nothing.
environment=(A=b)
refused() {
    local seen
    printf 'base: {bootstrap: arch, mirror: "%s", keyring: %s}\naccel: tcg\n' "$4" "$scratch/keys/${5-packager}.gpg" >base.yaml
    separate env "${environment[@]}" "$airbuild" images -q -f base.yaml
    seen=${errors:0:${#3}+47}
    is "refuses $1" "$2 airbuild: the image 'base-arch' was not baked: $3" "$status $out$seen"
    is "refuses $1 in one line" 1 "$(wc -l <"$scratch/errors")"
    is "$1 leaves nothing" '' "$(find "$AIRBUILD_HOME/store/images" "$TMPDIR" -mindepth 1
        find "$AIRBUILD_HOME/store/packages" ! -type d 2>/dev/null
        pgrep -fa "$TMPDIR")"
}
# Messages up to pacman's own text.
mirror_of() { echo "'$1/\$repo/os/\$arch'"; }
network() { echo "the packages cannot be downloaded from $(mirror_of "$1") and none are kept; check the network and the \
mirror, then run 'airbuild images' again: $2"; }
list() { echo "$(mirror_of "$1") did not return a package database; open it in a browser to see whether this network asks for \
a sign-in, or use another mirror: "; }
package() { echo "$(mirror_of "$1") does not have a requested package; check its name, or use another snapshot: \
target not found: $2"; }
key_of() { echo "a package of $(mirror_of "$1") is not signed by a key that the host's keyring trusts; an old keyring does not \
know new packagers, so use a snapshot of the image's own date, or a newer image: $2"; }

# ---- what is refused ------------------------------------------------------------------------------------------------

none=http://127.0.0.1:1
refused 'an unreachable mirror' 8 "$(network $none "failed retrieving file 'core.db' from 127.0.0.1:1 : ")" $none
refused 'a mirror that disconnects' 8 "$(network "$base/cut" "failed retrieving file 'base-1-1-any.pkg.tar.zst' ")" \
    "$base/cut"
refused 'a mirror with a missing file' 8 "$(network "$base/gone" "failed retrieving file 'base-1-1-any.pkg.tar.zst' ")" \
    "$base/gone"
refused 'a folder with a missing file' 8 "$(network "file://$www/gone" "failed retrieving file 'base-1-1-any.pkg.tar.zst' ")" \
    "file://$www/gone"
refused 'a mirror without a signature' 8 \
    "$(network "$base/unsigned" "failed retrieving file 'base-1-1-any.pkg.tar.zst.sig' ")" "$base/unsigned"
refused 'a sign-in in place of a mirror' 8 "$(list "$base/page")" "$base/page"
refused 'a web page in place of a list' 8 "$(list "$base/list")" "$base/list"
refused 'a package that the snapshot has not' 3 "$(package "$base/without" base)" "$base/without"
refused 'a package of a layer that it has not' 3 "$(package "$base/good" '')" "$base/good"
refused 'an old keyring, which does not know the packager' 10 "$(key_of "$base/new" '')" "$base/new"
refused 'a keyring whose key has expired' 10 "$(key_of "$base/old" '')" "$base/old" former
refused 'a package that was changed' 10 "a package of $(mirror_of "$base/changed") does not match its signature; it was \
damaged at the mirror or on the way, so run it again, or use another mirror: " "$base/changed"

# ---- proxies --------------------------------------------------------------------------------------------------------

environment=(http_proxy=http://127.0.0.1:1)
refused 'an unreachable proxy' 8 "$(network http://mirror.invalid "failed retrieving file 'core.db' from mirror.invalid : ")" \
    http://mirror.invalid
environment=(http_proxy="$base")
refused 'a mirror behind a proxy' 3 "$(package http://mirror.invalid/without base)" http://mirror.invalid/without
check 'the proxy gets the request' grep -F '"GET http://mirror.invalid/without/core/os/x86_64/core.db HTTP/1.1" 200' "$scratch/port.log"
environment=(http_proxy=http://127.0.0.1:1 no_proxy=127.0.0.1)
refused 'a mirror that no_proxy names' 3 "$(package "$base/without" base)" "$base/without"
tap_end
