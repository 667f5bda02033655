/**
 * A server on loopback that plays a vendor: it takes calls, counts connections and has faults.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/** A call as it arrived. */
export interface ReceivedCall {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What is answered; by default 200 without a body. */
export interface ReceiverAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/**
 * What the receiver does with the next call instead of taking it. `Drop` takes it and closes the connection without an answer.
 */
export type ReceiverFailure =
  | { readonly _tag: "RateLimited"; readonly retryAfterMs: number }
  | { readonly _tag: "Unavailable" }
  | { readonly _tag: "Hang" }
  | { readonly _tag: "Drop" }
  | { readonly _tag: "Gone" }
  | { readonly _tag: "Denied" }

/** A notification as the receiver shows it; see `Received` of the suite of notifiers. */
export interface ShownNotification {
  readonly id: string
  readonly key?: string | undefined
  readonly under?: string | undefined
  readonly text: string
  readonly raw: string
  readonly changes: number
}

/** A server that takes notifications. `url` is its address; `fault` holds for the next call. */
export interface HttpReceiver {
  readonly url: string
  readonly calls: ReadonlyArray<ReceivedCall>
  readonly connections: () => number
  readonly fault: (failure: ReceiverFailure) => void
  readonly close: () => Promise<void>
}

/** How a vendor answers when it refuses a call. */
export type Refusals = { readonly [Tag in "Gone" | "Denied"]?: ReceiverAnswer }

const read = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString("utf8")
}

/**
 * Opens a receiver whose calls are taken by `take`.
 */
export const openHttpReceiver = async (
  take: (call: ReceivedCall) => ReceiverAnswer,
  refusals: Refusals = {}
): Promise<HttpReceiver> => {
  const calls: Array<ReceivedCall> = []
  let next: ReceiverFailure | undefined
  let connections = 0

  const answerTo = (call: ReceivedCall): ReceiverAnswer | "hang" | "drop" => {
    const fault = next
    next = undefined
    switch (fault?._tag) {
      case undefined:
        return take(call)
      case "RateLimited":
        return { status: 429, headers: { "retry-after": String(Math.ceil(fault.retryAfterMs / 1_000)) } }
      case "Unavailable":
        return { status: 503 }
      case "Hang":
        return "hang"
      case "Drop":
        take(call)
        return "drop"
      case "Gone":
        return refusals.Gone ?? { status: 410 }
      case "Denied":
        return refusals.Denied ?? { status: 401 }
    }
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await read(request)
    const call = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body }
    calls.push(call)
    const answer = answerTo(call)
    if (answer === "hang") return
    if (answer === "drop") {
      request.socket.destroy()
      return
    }
    response.writeHead(answer.status ?? 200, { ...answer.headers })
    response.end(answer.body)
  }

  const server = createServer((request, response) => {
    // A caller that gives up is part of the tests.
    handle(request, response).catch(() => request.socket.destroy())
  })
  server.on("connection", (socket) => {
    connections++
    socket.on("close", () => connections--)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    connections: () => connections,
    fault: (failure) => {
      next = failure
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}
