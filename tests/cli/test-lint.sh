#!/bin/bash
# test-lint.sh - scripts/lint finds violations, in small trees that break one rule each.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
spdx='// SPDX-License-Identifier: Apache-2.0'
# Words that this file must not contain.
todo=TO'DO' fixme=FIX'ME'

# tree: make a tree that breaks no rule.
tree() {
    rm -rf "$work/tree"
    mkdir -p "$work"/tree/{builder/{base,bake,virt,cli},scripts,tests/unit,images}
    c builder/base/error.c 'int error_number = 1;'
    printf '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\necho\n' >"$work/tree/scripts/tool"
}

# c FILE LINE...: make a C file of an SPDX line and these lines.
c() {
    mkdir -p "$(dirname "$work/tree/$1")"
    printf '%s\n' "$spdx" "${@:2}" >"$work/tree/$1"
}

# function_of LINES: print a function with LINES lines from brace to brace.
function_of() {
    printf '%s\n' 'int' 'f(int a)' '{'
    for ((i = 0; i < $1 - 3; i++)); do echo '    a++;'; done
    printf '%s\n' '    return a;' '}'
}

lint() {
    (cd "$work/tree" && "$root/scripts/lint" "$work/tree" >"$work/out" 2>&1)
}

# finds WHAT COMPLAINT: ok if lint fails with exactly one complaint, which begins so.
finds() {
    ! lint && [ "$(wc -l <"$work/out")" = 1 ] && [[ $(cat "$work/out") == "$2"* ]]
    tap $? "finds $1" "$(<"$work/out")"
}

# passes WHAT: ok if lint finds nothing.
passes() {
    lint && [ ! -s "$work/out" ]
    tap $? "accepts $1" "$(<"$work/out")"
}

tree
passes 'a clean tree'

# ---- names

tree
c builder/base/a.c 'static int' 'f(void)' '{' '    return 0;' '}'
c builder/base/b.c 'static int' 'f(void)' '{' '    return 1;' '}'
finds 'a function of the same name' "builder/base/b.c:4: function 'f' is also in builder/base/a.c"
tree
c builder/base/a.c 'struct a {' '    int b;' '};'
c builder/virt/a.c 'struct a {' '    int c;' '};'
finds 'a struct of the same name' "builder/virt/a.c:2: 'struct a' is also in builder/base/a.c"

# ---- order of folders, owners of libraries

tree
c builder/base/a.c '#include "virt/virt.h"'
finds 'an include of another folder in base' 'builder/base/a.c:2: "virt/virt.h": base may include only itself'
tree
c builder/virt/a.c '#include "seed/seed.h"'
finds 'includes between neighbours' 'builder/virt/a.c:2: "seed/seed.h": virt may include only base spec'
tree
c builder/main.c '#include "virt/virt.h"'
finds 'an include of virt in main.c' 'builder/main.c:2: "virt/virt.h": main.c may include only base cli'
tree
c builder/cluster/a.c '#include "base/error.h"' '#include "cluster/cluster.h"' '#include "virt/virt.h"'
c builder/cli/a.c '#include "bake/bake.h"' '#include <stdio.h>'
passes 'includes in the allowed order'
tree
c builder/virt/a.c '#include "virt.h"'
finds 'a header without its folder' 'builder/virt/a.c:2: "virt.h" is not written as'
tree
c builder/virt/a.c '#include "../virt/virt.h"'
finds 'a path to a parent folder' 'builder/virt/a.c:2: "../virt/virt.h" is not written as'

while read -r folder header; do
    tree
    c "builder/$folder/a.c" "#include <$header>"
    passes "<$header> in $folder/"
    tree
    c builder/cli/a.c "#include <$header>"
    finds "<$header> in cli/" "builder/cli/a.c:2: <$header> belongs to $folder/"
done <<'END'
base openssl/evp.h
yaml yaml.h
fetch curl/curl.h
bake guestfs.h
seed archive.h
seed archive_entry.h
virt libvirt/libvirt.h
virt libxml/tree.h
probe hiredis/hiredis.h
END
tree
c builder/cli/a.c '#include <jansson.h>'
passes '<jansson.h> in every folder'
tree
c builder/bake/a.c '#include <guestfs.h>'
c builder/bake/b.c '#include <guestfs.h>'
finds 'libguestfs in two files' 'builder/bake/b.c:2: <guestfs.h> is already included by builder/bake/a.c'
tree
c builder/virt/a.h '#include <libvirt/libvirt.h>'
c builder/cli/a.c '#include "virt/a.h"'
finds 'a library in a header that another folder includes' 'builder/cli/a.c:2: "virt/a.h" shows <libvirt/libvirt.h>'

# ---- sizes

tree
mapfile -t lines < <(function_of 60)
c builder/base/a.c "${lines[@]}"
passes 'a function of 60 lines'
tree
mapfile -t lines < <(function_of 61)
c builder/base/a.c "${lines[@]}"
finds 'a function of 61 lines' "builder/base/a.c:4: function 'f' has 61 lines"
mapfile -t lines < <(for ((i = 0; i < 500; i++)); do echo "int number_$i;"; done)
tree
c builder/base/a.c "${lines[@]:1}"
passes 'a file of 500 lines'
tree
c tests/unit/a.c "${lines[@]}"
finds 'a file of 501 lines' 'tests/unit/a.c:501: the file has 501 lines'
tree
c builder/base/a.c '// Longer than 500 lines: it is one table.' "${lines[@]}"
passes 'a longer file that says why'

# ---- calls

while read -r file name call; do
    tree
    c "$file" 'void f(void);' 'void' 'f(void)' '{' "    $call" '}'
    finds "$name in $file" "$file:6: call of '$name': "
done <<'END'
builder/virt/a.c system system("ls");
tests/unit/a.c system system("ls");
builder/virt/a.c popen keep(popen("ls", "r"));
builder/virt/a.c fork fork();
builder/cli/a.c execv execv("/bin/ls", a);
builder/virt/a.c posix_spawn posix_spawn(a);
builder/virt/a.c sleep sleep(1);
builder/virt/a.c usleep usleep(1);
builder/virt/a.c nanosleep nanosleep(a, b);
builder/virt/a.c printf printf("x");
builder/virt/a.c puts puts("x");
builder/virt/a.c perror perror("x");
builder/virt/a.c exit exit(1);
builder/virt/a.c strcpy strcpy(a, b);
builder/virt/a.c strcat strcat(a, b);
tests/unit/a.c sprintf sprintf(a, b);
END
for stream in stdout stderr; do
    tree
    c builder/virt/a.c 'void f(void);' 'void' 'f(void)' '{' "    fputs(\"x\", $stream);" '}'
    finds "$stream in virt/" 'builder/virt/a.c:6: writes to the user'
done
tree
c builder/base/proc.c 'void f(void);' 'void' 'f(void)' '{' '    posix_spawn(0);' '}'
c builder/base/clock.c 'void g(void);' 'void' 'g(void)' '{' '    nanosleep(a, b);' '}'
c builder/base/progress.c 'void h(void);' 'void' 'h(void)' '{' '    fputs("x", stderr);' '}'
c builder/cli/a.c 'void i(void);' 'void' 'i(void)' '{' '    printf("x");' '    exit(1);' '}'
c tests/unit/a.c 'void f(void);' 'void' 'f(void)' '{' '    fork();' '    usleep(1);' '}'
passes 'calls in their own files'
tree
c builder/virt/a.c '// system("ls")' '/* fork();' ' * strcpy(a, b); */' 'const char *text = "printf(\"x\") // ";' \
    'int buf_printf(int a);' '' 'int' 'f(struct s *s)' '{' '    return s->sleep(buf_printf(1));' '}'
passes 'names in comments, texts, fields and longer names'

# ---- texts

tree
sed -i 1d "$work/tree/builder/base/error.c"
finds 'a C file without a licence' 'builder/base/error.c:1: no line'
tree
sed -i 2d "$work/tree/scripts/tool"
finds 'a script without a licence' 'scripts/tool:1: no line'
tree
echo 'packages: []' >"$work/tree/images/redis.yaml"
finds 'a recipe without a licence' 'images/redis.yaml:1: no line'
tree
mkdir -p "$work/tree/tests/golden"
echo '<domain/>' >"$work/tree/tests/golden/a.xml"
echo '# airbuild' >"$work/tree/README.md"
passes 'golden files and pages without a licence'
for word in "$todo" "$fixme"; do
    tree
    c builder/base/a.c "// $word: later"
    finds "$word" 'builder/base/a.c:2: says that something is missing'
done
tree
echo "cd /"work/main >"$work/tree/README.md"
finds 'a path of one machine' 'README.md:1: names a path of one machine'
tree
echo >"$work/tree/notes.txt"
finds 'an unknown file at the top' "notes.txt:1: 'notes.txt' is none of the names"
tree
c src/a.c 'int a;'
finds 'an unknown folder at the top' "src/a.c:1: 'src' is none of the names"

# ---- other tools

tree
c builder/base/a.c 'int  a;' 'int  b;'
finds 'wrong format, once per file' 'builder/base/a.c:2: is not as clang-format writes it'
tree
# shellcheck disable=SC2016
printf '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\necho $1\n' >"$work/tree/scripts/tool"
finds 'a warning of shellcheck in a script without .sh' 'scripts/tool:3: note: Double quote'
tree
c builder/base/a.c 'int f(void);' 'int' 'f(void)' '{' '    int *p = 0;' '    return *p;' '}'
finds 'an error of cppcheck' 'builder/base/a.c:7: Null pointer dereference'

# ---- git

tree
git -C "$work/tree" init -q
echo /build/ >"$work/tree/.gitignore"
mkdir "$work/tree/build"
echo "$todo" >"$work/tree/build/note"
passes 'files that git ignores'
tree
git -C "$work/tree" init -q
echo >"$work/tree/stray"
finds 'untracked files' 'stray:1: '

# ---- uses

# returns NAME VALUE: print a function that returns that.
returns() {
    printf '%s\n' 'int' "$1(void)" '{' "    return $2;" '}'
}

# c_of FILE NAME=VALUE...: make a C file of such functions.
c_of() {
    local lines=()
    mapfile -t lines < <(for function in "${@:2}"; do returns "${function%%=*}" "${function#*=}"; done)
    c "$1" "${lines[@]}"
}

tree
c builder/base/a.h 'int f(void);'
c_of builder/base/a.c f=0
finds 'an unused function' "builder/base/a.h:2: nothing in builder/ uses 'f'"
c_of builder/base/b.c 'g=f()'
passes 'a function that another file uses'
tree
c builder/base/a.h 'int f(void);' 'int g(void);'
c_of builder/base/a.c f=0 'g=f()'
c_of builder/base/b.c 'h=g()'
finds 'a public function that only its own file uses' "builder/base/a.h:2: only its own file uses 'f'"
c_of tests/unit/a.c 'i=f()'
passes 'a function that its own file and a test use'
tree
c builder/base/a.h 'int f(void);' 'int g(void);'
c_of builder/base/a.c 'f=g()'
c_of builder/base/b.c 'g=f()'
finds 'two files that use each other' \
    "builder/base/b.c:5: files use each other's functions in a circle: builder/base/a.c -> builder/base/b.c"

# ---- several complaints

tree
c builder/virt/a.c '#include "seed/seed.h"' "// $todo" '#include "bake/bake.h"'
c builder/base/a.c "// $fixme"
lint
is 'one run reports every finding, in order' '1 builder/base/a.c:2 builder/virt/a.c:2 builder/virt/a.c:3 builder/virt/a.c:4 ' \
    "$? $(cut -d: -f1,2 "$work/out" | tr '\n' ' ')"
tap_end
