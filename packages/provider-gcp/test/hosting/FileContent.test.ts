import { createHash } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { buffer } from "node:stream/consumers"
import { gzipSync } from "node:zlib"
import { assert, describe, it } from "vitest"
import { compressed, digestOfFile, hashesOf } from "../../src/hosting/files/FileContent.ts"

const sha256 = (content: Buffer) => createHash("sha256").update(content).digest("hex")

describe("the content of files", () => {
  it("is hashed and compressed as a whole, for files of any size at once", async ({ onTestFinished }) => {
    const directory = mkdtempSync(join(tmpdir(), "signalbox-content-"))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    const sizes = [0, 1, 8_192, 100_000, 262_143, 262_144, 262_145, 1_000_000, 0, 8_192]
    await Promise.all(
      sizes.map(async (size, index) => {
        const content = createHash("shake256", { outputLength: size }).update(String(index)).digest()
        const file = join(directory, String(index))
        writeFileSync(file, content)
        const zipped = gzipSync(content, { level: 9 })
        const [body, digest, hashes] = await Promise.all([
          compressed(file, size).then((one) => (Buffer.isBuffer(one) ? one : buffer(one))),
          digestOfFile(file, size),
          hashesOf(file, size)
        ])
        assert.strictEqual(digest, sha256(content), `${size} bytes`)
        assert.deepStrictEqual(hashes, { raw: sha256(content), hash: sha256(zipped) })
        assert.isTrue(body.equals(zipped))
      })
    )
  })

  it("of a file that is gone is a failure, and the next one is read", async ({ onTestFinished }) => {
    const directory = mkdtempSync(join(tmpdir(), "signalbox-content-"))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    writeFileSync(join(directory, "there"), "there")
    const [gone, there] = await Promise.allSettled([
      hashesOf(join(directory, "gone"), 1),
      hashesOf(join(directory, "there"), 5)
    ])
    assert.strictEqual(gone.status, "rejected")
    assert.strictEqual(there.status, "fulfilled")
  })
})
