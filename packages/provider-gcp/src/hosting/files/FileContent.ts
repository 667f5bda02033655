/**
 * The content of a file: its hashes, and what is sent of it.
 */
import { createHash } from "node:crypto"
import { closeSync, createReadStream, openSync, readSync } from "node:fs"
import type { Readable } from "node:stream"
import { constants, createGzip, type Gzip, type ZlibReset } from "node:zlib"

/** Small files are read in one go. */
const small = 256 * 1024
const level = 9

/** Reads small files into the same piece of memory: thousands of their own would wait for the garbage collector. */
class Reader {
  #buffer: Buffer | undefined

  read(file: string): Buffer {
    const buffer = (this.#buffer ??= Buffer.allocUnsafeSlow(small))
    const opened = openSync(file, "r")
    try {
      let size = 0
      for (let more = 1; more > 0 && size < small; size += more) {
        more = readSync(opened, buffer, size, small - size, size)
      }
      return buffer.subarray(0, size)
    } finally {
      closeSync(opened)
    }
  }
}

/** Compresses small files one after the other. A compressor takes more memory than what it compresses, so there is one. */
class Compressor {
  readonly #reader = new Reader()
  /** The types know a reset of the same algorithm without the header of gzip only. */
  #gzip: (Gzip & ZlibReset) | undefined
  #last: Promise<unknown> = Promise.resolve()

  /** `read` gets the content before, `part` the parts of the compressed one. */
  compress(file: string, read: (content: Buffer) => void, part: (part: Buffer) => void): Promise<void> {
    const next = this.#last.then(async () => {
      const content = this.#reader.read(file)
      read(content)
      const gzip = (this.#gzip ??= createGzip({ level }) as Gzip & ZlibReset)
      gzip.on("data", part)
      await new Promise<void>((resolve) => {
        gzip.write(content)
        gzip.flush(constants.Z_FINISH, resolve)
      })
      gzip.off("data", part)
      gzip.reset()
    })
    this.#last = next.catch(() => {})
    return next
  }
}

const reader = new Reader()
const compressor = new Compressor()

/** A pipe does not pass errors on. */
const zipped = (content: Readable): Readable => {
  const gzip = createGzip({ level })
  return content.once("error", (error) => gzip.destroy(error)).pipe(gzip)
}

/** The compressed content of a file, which has to be the same each time. */
export const compressed = async (file: string, size: number): Promise<Buffer | Readable> => {
  if (size >= small) return zipped(createReadStream(file))
  const parts: Array<Buffer> = []
  await compressor.compress(
    file,
    () => {},
    (part) => parts.push(part)
  )
  return Buffer.concat(parts)
}

/** The SHA-256 of a file. */
export const digestOfFile = async (file: string, size: number): Promise<string> => {
  const digest = createHash("sha256")
  if (size < small) digest.update(reader.read(file))
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
    await compressor.compress(
      file,
      (content) => raw.update(content),
      (part) => hash.update(part)
    )
  } else {
    const content = createReadStream(file)
    content.on("data", (chunk) => raw.update(chunk))
    for await (const chunk of zipped(content)) hash.update(chunk as Buffer)
  }
  return { raw: raw.digest("hex"), hash: hash.digest("hex") }
}
