#!/bin/bash
# Files that a reader cannot hold in the head: over 500 lines fails, over 400 is reported.
set -u
bad=0
count=0
while IFS= read -r file; do
    count=$((count + 1))
    lines=$(wc -l <"$file")
    if [ "$lines" -gt 500 ]; then
        echo "$file: $lines lines, more than 500"
        bad=1
    elif [ "$lines" -gt 400 ]; then
        echo "$file: $lines lines (look again at 400)"
    fi
done < <(find core ports adapters apps include tests deploy scripts docs -type f \
    \( -name '*.c' -o -name '*.h' -o -name '*.py' -o -name '*.sh' -o -name run \) 2>/dev/null |
    LC_ALL=C sort)
echo "$count files"
[ "$count" -gt 0 ] && exit $bad
exit 1
