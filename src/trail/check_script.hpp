// The steps by which a stranger checks an exported entry, as a script that exports carry along.
#pragma once

#include <string_view>

namespace coff::trail {

/// For any POSIX shell; the cryptography is openssl's and sha256sum's alone. Tests run it.
inline constexpr std::string_view kCheckScript = R"sh(#!/bin/sh
# Checks exported trail entries with openssl and sha256sum. Read it before you trust it.
#   sh check.sh EXPORT-DIRECTORY PUBLIC-KEY.pem
# Take PUBLIC-KEY.pem (and the log's name) from somebody you trust, not from the export.
set -eu
dir=$1
key=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "NOT GOOD: $1"; exit 1; }

# RFC 9162: leaf = SHA-256(00 || entry), node = SHA-256(01 || left || right). In base64, as in
# proofs; `{ printf '\000'; cat entry.json; } | sha256sum` shows the same leaf in hexadecimal.
decode() { echo "$1" | openssl base64 -d -A; }
digest() { openssl dgst -sha256 -binary | openssl base64 -A; }
leaf() { { printf '\000'; cat "$1"; } | digest; }
node() { { printf '\001'; decode "$1"; decode "$2"; } | digest; }

# 1. The signature: a checkpoint is text, an empty line, and "— name base64(4-byte id || 64 bytes)".
check_signature() {
  sed '/^$/,$d' "$1" >"$work/text"
  name=$(head -n 1 "$work/text")
  grep -F "— $name " "$1" | while read -r _ _ signature; do
    decode "$signature" | tail -c +5 >"$work/signature"
    if openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in "$work/text" \
      -sigfile "$work/signature" >/dev/null 2>&1; then echo good; fi
  done | grep -q good || fail "$1 is not signed by $key"
  size=$(sed -n 2p "$work/text")
  root=$(sed -n 3p "$work/text")
}

# 2. The path from the entry to the root, RFC 9162 section 2.1.3.2.
check_entry() {
  entry=$1
  proof=${entry%.json}.tlog-proof
  [ "$(head -n 1 "$proof")" = "c2sp.org/tlog-proof@v1" ] || fail "$proof is no proof"
  sed '1,/^$/d' "$proof" >"$work/checkpoint"
  check_signature "$work/checkpoint"
  index=$(sed -n 's/^index //p' "$proof" | head -n 1)
  fn=$index
  sn=$((size - 1))
  hash=$(leaf "$entry")
  for sibling in $(sed '/^$/,$d' "$proof" | grep -v -e ' ' -e '@'); do
    [ "$sn" -ne 0 ] || fail "$proof is too long"
    if [ $((fn % 2)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
      hash=$(node "$sibling" "$hash")
      while [ $((fn % 2)) -eq 0 ] && [ "$fn" -ne 0 ]; do fn=$((fn / 2)); sn=$((sn / 2)); done
    else
      hash=$(node "$hash" "$sibling")
    fi
    fn=$((fn / 2))
    sn=$((sn / 2))
  done
  [ "$sn" -eq 0 ] || fail "$proof is too short"
  [ "$hash" = "$root" ] || fail "$entry is not what was recorded as number $index"
  echo "good: $entry is number $index of $size in $name"
}

check_signature "$dir/checkpoint"
echo "good: $dir/checkpoint signs $size entries of $name"
for entry in "$dir"/entries/*.json; do
  [ -e "$entry" ] || continue
  check_entry "$entry"
done
)sh";

}  // namespace coff::trail
