/**
 * The content of a file: its hashes, and what is sent of it.
 */
import { createHash } from "node:crypto"
import { closeSync, createReadStream, openSync, readSync } from "node:fs"
import type { Readable } from "node:stream"
import { createGzip, gzipSync } from "node:zlib"

/** Small files are read and compressed in one go: a stream for each would cost more memory than the files. */
const small = 256 * 1024
const level = 9

/** Each small file is read into this one: thousands of their own would wait for the garbage collector. */
let buffer: Buffer | undefined

const read = (file: string): Buffer => {
  buffer ??= Buffer.allocUnsafeSlow(small)
  const opened = openSync(file, "r")
  try {
    let size = 0
    for (let more = 1; more > 0 && size < small; size += more) more = readSync(opened, buffer, size, small - size, size)
    return buffer.subarray(0, size)
  } finally {
    closeSync(opened)
  }
}

/** The result has a piece of memory that it just fits in. */
const zip = (content: Buffer): Buffer => gzipSync(content, { level, chunkSize: content.length + 1024 })

/** A pipe does not pass errors on. */
const zipped = (content: Readable): Readable => {
  const gzip = createGzip({ level })
  return content.once("error", (error) => gzip.destroy(error)).pipe(gzip)
}

/** The compressed content of a file, which has to be the same each time. */
export const compressed = (file: string, size: number): Buffer | Readable =>
  size < small ? zip(read(file)) : zipped(createReadStream(file))

/** The SHA-256 of a file. */
export const digestOfFile = async (file: string, size: number): Promise<string> => {
  const digest = createHash("sha256")
  if (size < small) digest.update(read(file))
  else for await (const chunk of createReadStream(file)) digest.update(chunk as Buffer)
  return digest.digest("hex")
}

/** The SHA-256 of a file, and the one of its compressed content, by which the platform knows it. */
export const hashesOf = async (
  file: string,
  size: number
): Promise<{ readonly raw: string; readonly hash: string }> => {
  const raw = createHash("sha256")
  const hash = createHash("sha256")
  if (size < small) {
    const content = read(file)
    raw.update(content)
    hash.update(zip(content))
  } else {
    const content = createReadStream(file)
    content.on("data", (chunk) => raw.update(chunk))
    for await (const chunk of zipped(content)) hash.update(chunk as Buffer)
  }
  return { raw: raw.digest("hex"), hash: hash.digest("hex") }
}
