// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from "vitest";
import { fileContext } from "./file";

const CONTENT = Uint8Array.from({ length: 100 }, (_, at) => at);

/** A server that gives the file in pieces of 7 bytes; `knowsRanges` says whether it gives parts. Returns what was asked, and how much was taken. */
function serve(knowsRanges: boolean) {
  const asked: string[] = [];
  const taken = { bytes: 0 };
  vi.stubGlobal("fetch", async (_address: string, { headers }: { headers: { Range: string } }) => {
    asked.push(headers.Range);
    const [start = 0, last = 0] = headers.Range.replace("bytes=", "").split("-").map(Number);
    const body = knowsRanges ? CONTENT.slice(start, last + 1) : CONTENT;
    let at = 0;
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(control) {
          if (at >= body.length) return control.close();
          const piece = body.slice(at, at + 7);
          at += 7;
          taken.bytes += piece.length;
          return control.enqueue(piece);
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(stream, { status: knowsRanges ? 206 : 200 });
  });
  return { asked, taken };
}

const { file } = fileContext({ run_id: "1" }, { path: "a/b.bin", is_dir: false, size: 100 }, "/files/a/b.bin");

afterEach(() => vi.unstubAllGlobals());

describe("the bytes of a file", () => {
  it("are asked for by their range", async () => {
    const { asked } = serve(true);
    expect([...(await file.read(10, 13))]).toEqual([10, 11, 12]);
    expect(asked).toEqual(["bytes=10-12"]);
  });

  it("are those of the range where the server gives the whole file, of which no more is taken than needed", async () => {
    const { taken } = serve(false);
    expect([...(await file.read(10, 16))]).toEqual([10, 11, 12, 13, 14, 15]);
    expect(taken.bytes).toBe(21);
  });

  it("end where the file ends, and none are asked for behind it", async () => {
    const { asked } = serve(true);
    expect([...(await file.read(98, 1e9))]).toEqual([98, 99]);
    expect([...(await file.read(100, 200))]).toEqual([]);
    expect(asked).toEqual(["bytes=98-99"]);
  });
});
