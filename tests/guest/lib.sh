# lib.sh - shared by tests that use the libguestfs appliance. Sourced after assert.sh.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # scratch is the test's

export LIBGUESTFS_CACHEDIR=/var/tmp LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg

# seen NAME: print what guestfish printed between the line @NAME and the next one.
seen() { awk -v name="@$1" '/^@/ { on = $0 == name; next } on' "$scratch/seen"; }
