/** Reads the headers that are named on the standard input as JSON lists of bytes, and tells what each gave; for `test_header.py`. */
import { readFileSync } from "node:fs";
const { readHeader, Unreadable } = await import(process.argv[2]);

const told = [];
for (const { head, size } of JSON.parse(readFileSync(0, "utf8"))) {
  const bytes = Uint8Array.from(Buffer.from(head, "base64"));
  const asked = [];
  const read = async (start, end) => {
    asked.push([start, end]);
    return bytes.slice(start, Math.min(end, size ?? end));
  };
  try {
    told.push({ asked, header: await readHeader({ size, read }) });
  } catch (fault) {
    if (!(fault instanceof Unreadable)) throw fault;
    told.push({ asked, refused: fault.message });
  }
}
console.log(JSON.stringify(told));
