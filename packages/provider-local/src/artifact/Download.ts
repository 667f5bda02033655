/**
 * An archive from a URL, as the bytes that the server keeps. `fetch` is of no use here: it decodes `Content-Encoding`,
 * and the digest is the file's.
 */
import type { IncomingMessage, RequestOptions } from "node:http"
import { Refusal, refuse } from "../supervisor/Protocol.ts"
import { type Report, shownSize, Progress } from "./Progress.ts"
import { invalid, missing, type Source } from "./Source.ts"

const redirectsMax = 10
const silenceMillis = 60_000
/** An interrupted download restarts here: the engine would repeat the whole step, with growing pauses. */
const attempts = 3

export interface Download {
  readonly bytes: AsyncIterable<Buffer>
  /** The server's description of the answer, for messages. */
  readonly described: string
}

/** An incomplete download. */
class CutOff extends Error {}

/**
 * Passes a download to `read`, again from its start if it breaks off.
 *
 * *Errors*: `Missing` if there is nothing to download, `Denied`, `Throttled`, `Unavailable` if the server cannot be
 * reached or fails, `Unexpected` if the download breaks off each time.
 */
export const downloaded = async <A>(
  source: Source,
  signal: AbortSignal,
  report: Report | undefined,
  read: (download: Download) => Promise<A>
): Promise<A> => {
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await open(source, signal)
      const type = response.headers["content-type"]
      const encoding = response.headers["content-encoding"]
      const described = [
        ...(type === undefined ? [] : [`its type is ${type}`]),
        ...(encoding === undefined || encoding === "identity" ? [] : [`sent with Content-Encoding: ${encoding}`])
      ].join(", ")
      try {
        return await read({ bytes: bytesOf(source, response, report), described })
      } finally {
        response.destroy()
      }
    } catch (error) {
      if (!(error instanceof CutOff)) throw error
      signal.throwIfAborted()
      if (attempt === attempts) {
        const reason = {
          _tag: "Unexpected",
          message: `${error.message}, ${attempts} times in a row`,
          hint: "Deploy again. If it is cut off again, check the server that delivers it; --log-level debug shows the cause."
        } as const
        throw Object.assign(new Refusal(reason), { cause: error.cause })
      }
    }
  }
}

async function* bytesOf(source: Source, response: IncomingMessage, report: Report | undefined): AsyncGenerator<Buffer> {
  const progress = report === undefined ? undefined : new Progress(report)
  const length = Number(response.headers["content-length"])
  const of = Number.isFinite(length) ? ` of ${length}` : ""
  let size = 0
  const cut = (cause: unknown) =>
    new CutOff(`the download of ${source.shown} was cut off after ${size}${of} bytes`, { cause })
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length
      yield chunk
      await progress?.tell(
        () => `downloaded ${shownSize(size)}${of === "" ? "" : ` of ${shownSize(length)}`} of ${source.shown}`
      )
    }
  } catch (error) {
    if ((error as Error).name === "AbortError") throw error
    throw cut(error)
  }
  if (!response.complete) throw cut(new Error("the connection ended before the answer did"))
}

const open = async (source: Source, signal: AbortSignal): Promise<IncomingMessage> => {
  const { shown } = source
  let url = new URL((source.location as { readonly url: string }).url)
  for (let redirects = 0; ; redirects++) {
    const response = await get(url, shown, signal)
    const status = response.statusCode!
    if (status === 200) return response
    response.destroy()
    const { location } = response.headers
    if (status >= 300 && status < 400 && location !== undefined) {
      const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined
      if (redirects === redirectsMax) invalid(source, `it is redirected more than ${redirectsMax} times`)
      // The address may contain a token from the server.
      if (next === undefined || !/^https?:$/.test(next.protocol))
        return invalid(source, "it is redirected to no http(s) URL")
      url = next
      continue
    }
    return answered(source, status, response)
  }
}

const answered = (source: Source, status: number, response: IncomingMessage): never => {
  const { shown } = source
  if (status === 404 || status === 410) return missing(source, `does not exist: its server answered ${status}`)
  if (status === 401 || status === 403) return refuse({ _tag: "Denied", message: `${shown} is not allowed: ${status}` })
  if (status === 429) {
    const after = Number(response.headers["retry-after"])
    return refuse({
      _tag: "Throttled",
      message: `${shown}: too many requests`,
      retryAfterMs: (after > 0 ? after : 1) * 1000
    })
  }
  if (status >= 500) return refuse({ _tag: "Unavailable", message: `${shown} answered ${status}` })
  return refuse({ _tag: "Unexpected", message: `${shown} answered ${status}` })
}

const get = async (url: URL, shown: string, signal: AbortSignal): Promise<IncomingMessage> => {
  // Most commands of the CLI download nothing.
  const { request } = url.protocol === "https:" ? await import("node:https") : await import("node:http")
  const options: RequestOptions = {
    agent: false,
    signal,
    timeout: silenceMillis,
    headers: { "accept-encoding": "identity", accept: "*/*", "user-agent": "signalbox" }
  }
  return new Promise((resolve, reject) => {
    const call = request(url, options, resolve)
    call.on("timeout", () => call.destroy(Object.assign(new Error("silent"), { code: "ETIMEDOUT" })))
    call.on("error", (error: NodeJS.ErrnoException) => {
      if (error.name === "AbortError") return reject(error)
      // Only the code: the message may quote the URL with a token in it.
      const code = error.code === undefined ? "" : `: ${error.code}`
      try {
        refuse({ _tag: "Unavailable", message: `${shown} cannot be reached${code}` })
      } catch (refusal) {
        reject(refusal)
      }
    })
    call.end()
  })
}
