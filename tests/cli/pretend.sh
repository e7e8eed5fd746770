# shellcheck shell=bash
# pretend.sh - creates the files of a launched cluster, without its machines, below $AIRBUILD_HOME; uses $scratch.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by the script that sources this

# text32: prints 32 characters that passwords consist of.
text32() { tr -dc A-Za-z0-9 </dev/urandom | head -c 32; }

# key_json COMMENT: prints a new key in the form of secrets.json.
key_json() {
    local file=$scratch/key
    rm -f "$file" "$file.pub"
    ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$file"
    jq -n --rawfile private "$file" --arg public "$(cat "$file.pub")" '{$private, $public}'
}

# pretend_launched NAME: creates the files of cluster NAME.
pretend_launched() {
    local folder=$AIRBUILD_HOME/clusters/$1 key node passwords='{}' nodes='[]'
    mkdir -p "$folder/ssh"
    key=$(key_json airbuild)
    for node in app admin replica sentinel check status; do
        passwords=$(jq --arg a "$node" --arg p "$(text32)" '.[$a] = $p' <<<"$passwords")
    done
    for node in head10 work11 work12 work13; do
        mkdir -p "$folder/nodes/$node"
        nodes=$(jq --arg name "$node" --arg id "$(cat /proc/sys/kernel/random/uuid)" --argjson host_key "$key" \
            '. + [{$name, instance_id: $id, sentinel_id: ("ab" * 20), $host_key}]' <<<"$nodes")
    done
    jq -n --argjson passwords "$passwords" --argjson client_key "$key" --argjson nodes "$nodes" \
        '{format: 1, $passwords, $client_key, $nodes}' >"$folder/secrets.json"
    chmod 0600 "$folder/secrets.json"
    echo '{"format": 1, "spec": "", "images": {}}' >"$folder/cluster.json"
}

# password CLUSTER ACCOUNT: print that password.
password() { jq -r --arg a "$2" '.passwords[$a]' "$AIRBUILD_HOME/clusters/$1/secrets.json"; }
