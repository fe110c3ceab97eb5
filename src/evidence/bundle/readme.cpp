// README.txt of a bundle: how a stranger verifies and reads it without our program.
#include "evidence/bundle/seal.hpp"

namespace coff::evidence {

std::string readme_text(const SealFacts& facts) {
  std::string text = "Evidence " + facts.id + "\n\n" + R"(HOW TO VERIFY IT
Everything below runs in this folder, with sha256sum, openssl 3 and a POSIX shell.

1. No file was changed:
   sha256sum -c --quiet --strict SHA256SUMS

2. SHA256SUMS is the sealed one: these two must be the same.
   sha256sum SHA256SUMS
   grep -o '"sums_sha256":"[0-9a-f]*"' manifest.json

3. The manifest is signed:
)";
  for (const Signer& signer : facts.signers) {
    text += "   openssl pkeyutl -verify -rawin -in manifest.json -pubin -inkey sig/" + signer.role +
            ".pub -sigfile sig/manifest." + signer.role + "\n";
  }
  text += R"(   A key inside proves nothing by itself: compare it with one that you got elsewhere.

4. No file was added: this prints nothing.
   find . -type f | sed 's|^\./||' | grep -v -e '^sig/' -e '^manifest.json$' -e '^SHA256SUMS$' |
     while IFS= read -r f; do grep -qF "  $f" SHA256SUMS || echo "extra: $f"; done

5. The chain of custody is whole: each line holds the SHA-256 of the line before.
   p=0000000000000000000000000000000000000000000000000000000000000000
   while IFS= read -r l; do case "$l" in *"\"prev\":\"$p\"}") ;; *) echo "broken: $l";; esac
     p=$(printf %s "$l" | sha256sum | cut -c1-64); done < custody/custody.jsonl; echo "head: $p"
   The head must be the one in manifest.json under "custody". Records after the seal are in a file
   beside this folder, whose first line goes on from that head.

6. If there is sig/manifest.tsr, an authority confirms the time (RFC 3161):
   openssl ts -verify -data manifest.json -in sig/manifest.tsr -CAfile AUTHORITY.pem

HOW TO READ IT
index.html says what each item is. meta/gaps.jsonl says what could NOT be read, and why.
meta/order.jsonl says what was read when, from where, and with which hash.
   gdb PROGRAM memory/PID.core          registers, stacks and memory of a process
   strings memory/PID.core | grep WORD  texts in memory
   tar tvf files/upper.tar              what the container changed in its file system
   tcpdump -r pcap/capture.pcap         network packets, where they were captured

These files come from a container that may be hostile. Do not run what is in them.
)";
  return text;
}

}  // namespace coff::evidence
