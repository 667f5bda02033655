/** What the tests of artifacts share: a folder to write in, archives of any content, and what an artifact is refused for. */
import { createHash } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { Header } from "tar"
import * as Effect from "effect/Effect"
import { type Source, digest, parse, unpack } from "../../src/Artifact.ts"
import { Refusal } from "../../src/supervisor/Protocol.ts"

export const scratch = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "signalbox-artifact-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

export const sha256 = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex")

export interface Entry {
  readonly path: string
  readonly type?: "File" | "SymbolicLink" | "Link" | "Directory" | "FIFO"
  readonly linkpath?: string
  readonly content?: string
}

/** The bytes of a tar file with any entries, also such as no tool would write. */
export const tarOf = (entries: ReadonlyArray<Entry>): Buffer => {
  const blocks = entries.flatMap(({ content = "", linkpath, path, type = "File" }) => {
    const header = new Header({
      path,
      type,
      mode: 0o644,
      size: Buffer.byteLength(content),
      mtime: new Date(0),
      ...(linkpath === undefined ? {} : { linkpath })
    })
    const block = Buffer.alloc(512)
    header.encode(block, 0)
    const body = Buffer.alloc(Math.ceil(Buffer.byteLength(content) / 512) * 512)
    body.write(content)
    return [block, body]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

export const archive = (file: string, entries: ReadonlyArray<Entry>) => writeFileSync(file, gzipSync(tarOf(entries)))

export const sourceOf = (given: string, from: Source["from"] = "deployment"): Source =>
  parse(given, from, undefined, "/", {})

const never = new AbortController().signal

export const digestOf = (given: string) => digest(sourceOf(given), never)

/** Copies an artifact to `target`, and returns the progress reports. */
export const bring = async (given: string, target: string, wanted?: string): Promise<ReadonlyArray<string>> => {
  const messages: Array<string> = []
  await unpack(sourceOf(given), wanted ?? (await digestOf(given)), target, never, async (message) => {
    messages.push(message)
  })
  return messages
}

/** The reason for which something is refused. */
export const refusal = async (run: Promise<unknown>) => {
  try {
    await run
  } catch (error) {
    if (error instanceof Refusal) return error.reason
    throw error
  }
  throw new Error("it was not refused")
}
