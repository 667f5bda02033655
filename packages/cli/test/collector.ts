/**
 * An OTLP/HTTP receiver: it collects the spans of processes, and assembles the trees.
 */
import { createServer } from "node:http"
import { gunzipSync } from "node:zlib"

export interface Received {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly name: string
  readonly kind: number
  readonly start: number
  readonly end: number
  readonly status: number
  readonly message: string | undefined
  readonly attributes: Readonly<Record<string, unknown>>
  readonly links: ReadonlyArray<{
    readonly traceId: string
    readonly spanId: string
    readonly attributes: Readonly<Record<string, unknown>>
  }>
  readonly events: ReadonlyArray<{ readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }>
  /** The process that sent it. */
  readonly instance: string
}

const valueOf = (value: Record<string, unknown>): unknown => Object.values(value)[0]
export const attributesOf = (list: ReadonlyArray<any> = []): Record<string, unknown> =>
  Object.fromEntries(list.map(({ key, value }) => [key, valueOf(value)]))

const spansIn = (body: any): ReadonlyArray<Received> =>
  body.resourceSpans.flatMap(({ resource, scopeSpans }: any) =>
    scopeSpans.flatMap(({ spans }: any) =>
      spans.map((span: any): Received => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId || undefined,
        name: span.name,
        kind: span.kind,
        start: Number(BigInt(span.startTimeUnixNano) / 1_000n) / 1_000,
        end: Number(BigInt(span.endTimeUnixNano) / 1_000n) / 1_000,
        status: span.status.code,
        message: span.status.message,
        attributes: attributesOf(span.attributes),
        links: span.links.map((link: any) => ({ ...link, attributes: attributesOf(link.attributes) })),
        events: span.events.map((event: any) => ({ name: event.name, attributes: attributesOf(event.attributes) })),
        instance: String(attributesOf(resource.attributes)["service.instance.id"])
      }))
    )
  )

export interface Collector {
  readonly url: string
  readonly requests: Array<{ readonly path: string; readonly headers: Record<string, unknown>; readonly text: string }>
  readonly spans: () => ReadonlyArray<Received>
  readonly close: () => Promise<void>
}

/** Listens on a port of its own. `answer` may keep requests waiting, or refuse them. */
export const listen = async (answer: () => number | Promise<number> = () => 200): Promise<Collector> => {
  const requests: Collector["requests"] = []
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (data) => chunks.push(data))
    request.on("end", async () => {
      const raw = Buffer.concat(chunks)
      const text = (request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw).toString("utf8")
      const status = await answer()
      if (status === 200) requests.push({ path: request.url ?? "", headers: request.headers, text })
      response.writeHead(status, { "content-type": "application/json" }).end("{}")
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as { readonly port: number }
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    spans: () =>
      requests.filter(({ path }) => path.endsWith("/v1/traces")).flatMap(({ text }) => spansIn(JSON.parse(text))),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}
