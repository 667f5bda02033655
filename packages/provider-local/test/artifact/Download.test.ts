import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import * as Effect from "effect/Effect"
import { archive, bring, digestOf, refusal, scratch, sha256 } from "./support.ts"

interface Served {
  readonly folder: string
  readonly file: string
  readonly hex: string
  readonly url: string
  readonly seen: Array<IncomingHttpHeaders>
  answer: RequestListener
}

/** A server that answers as the test says, and remembers its requests. */
const served = (test: (at: Served) => Promise<void>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const folder = yield* scratch
      const file = join(folder, "app.tgz")
      archive(file, [{ path: "server.mjs", content: "server" }])
      const at: Served & { url: string } = {
        folder,
        file,
        hex: sha256(file),
        url: "",
        seen: [],
        answer: (_, response) => response.end(readFileSync(file))
      }
      yield* Effect.acquireRelease(
        Effect.promise(async () => {
          const server = createServer((request, response) => {
            at.seen.push(request.headers)
            at.answer(request, response)
          })
          await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
          at.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/app.tgz`
          return server
        }),
        (server) =>
          Effect.promise(() => {
            server.closeAllConnections()
            return new Promise((resolve) => server.close(resolve))
          })
      )
      yield* Effect.promise(() => test(at))
    })
  )

const release = ({ folder }: Served) => join(folder, "releases", "one")

describe("an artifact by URL", () => {
  it.live("is hashed as the server keeps it, whatever its encoding header says", () =>
    served(async (at) => {
      at.answer = (_, response) => {
        response.setHeader("content-encoding", "gzip")
        response.end(readFileSync(at.file))
      }
      await bring(`${at.url}#sha256=${at.hex}`, release(at))
      assert.strictEqual(at.seen[0]!["accept-encoding"], "identity")
      assert.strictEqual(readFileSync(join(release(at), "server.mjs"), "utf8"), "server")
      assert.strictEqual(await digestOf(at.url), `sha256:${at.hex}`)
    })
  )

  it.live("with another digest is rejected before anything is unpacked, even if it is not an archive at all", () =>
    served(async (at) => {
      const wanted = `sha256:${"0".repeat(64)}`
      // Would not unpack: that the digest is named shows that it was compared first.
      at.answer = (_, response) => response.end(gzipSync(Buffer.alloc(4096, "noise")))
      const reason = await refusal(bring(at.url, release(at), wanted))
      assert(reason._tag === "Invalid")
      assert.match(reason.message, /its digest is sha256:\w{64}, not sha256:0{64}$/)
      assert.include(reason.hint!, `${at.url} was given with the deployment`)
      assert.strictEqual(at.seen.length, 1)
      assert.deepStrictEqual(readdirSync(join(at.folder, "releases")), [])
    })
  )

  it.live("that is a login page is refused with its first bytes", () =>
    served(async (at) => {
      // It never ends: a rejected one was not waited for.
      at.answer = (_, response) => {
        response.setHeader("content-type", "text/html")
        response.write("<html>log in</html>")
      }
      for (const attempt of [digestOf(at.url), bring(at.url, release(at), `sha256:${at.hex}`)]) {
        const reason = await refusal(attempt)
        assert(reason._tag === "Invalid")
        assert.include(reason.message, `it begins with "<html>log in</html>"; its type is text/html`)
      }
      assert.strictEqual(at.seen.length, 2)
    })
  )

  it.live("that is cut off is downloaded again, and then reported", () =>
    served(async (at) => {
      const bytes = readFileSync(at.file)
      at.answer = (_, response) => {
        response.writeHead(200, { "content-length": bytes.length + 100 })
        response.write(bytes, () => response.destroy())
      }
      const reason = await refusal(bring(at.url, release(at), `sha256:${at.hex}`))
      assert.strictEqual(reason._tag, "Unexpected")
      assert.strictEqual(
        reason.message,
        `the download of ${at.url} was cut off after ${bytes.length} of ${bytes.length + 100} bytes, 3 times in a row`
      )
      assert.strictEqual(at.seen.length, 3)
      at.answer = (_, response) => {
        if (at.seen.length > 4) return response.end(bytes)
        response.writeHead(200, { "content-length": bytes.length })
        return response.write(bytes.subarray(0, 30), () => response.destroy())
      }
      await bring(at.url, release(at), `sha256:${at.hex}`)
      assert.isTrue(existsSync(release(at)))
    })
  )

  it.live("is followed after redirects, and missing and failing ones are reported distinctly", () =>
    served(async (at) => {
      at.answer = (request, response) => {
        const [, status, to] = /^\/(\d+)(\/.*)?$/.exec(request.url!) ?? []
        if (status === undefined) return response.end(readFileSync(at.file))
        response.writeHead(Number(status), { ...(to === undefined ? {} : { location: to }), "retry-after": "7" })
        return response.end()
      }
      const origin = new URL(at.url).origin
      assert.strictEqual(await digestOf(`${origin}/302/app.tgz`), `sha256:${at.hex}`)
      const expected = {
        404: "Missing",
        410: "Missing",
        401: "Denied",
        403: "Denied",
        503: "Unavailable",
        418: "Unexpected"
      }
      for (const [status, tag] of Object.entries(expected)) {
        assert.strictEqual((await refusal(digestOf(`${origin}/${status}`)))._tag, tag)
      }
      const throttled = await refusal(digestOf(`${origin}/429`))
      assert(throttled._tag === "Throttled")
      assert.strictEqual(throttled.retryAfterMs, 7_000)
      at.answer = (request, response) => response.writeHead(301, { location: request.url }).end()
      assert.strictEqual((await refusal(digestOf(at.url)))._tag, "Invalid")
      at.answer = (_, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end()
      assert.strictEqual((await refusal(digestOf(at.url)))._tag, "Invalid")
    })
  )
})
