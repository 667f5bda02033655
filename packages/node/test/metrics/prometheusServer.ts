/**
 * A server that speaks the query API of Prometheus over counters in memory: the queries of the tests, and none besides.
 */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as Effect from "effect/Effect"

interface Request {
  readonly at: number
  readonly version: string
  readonly failed: boolean
}

const query = /^sum\(increase\(http_requests_total\{version="((?:[^"\\]|\\.)*)"(,code=~"5\.\.")?\}\[(\d+)s\]\)\)$/

export const start = Effect.acquireRelease(
  Effect.promise(async () => {
    const counted: Array<Request> = []
    const asked: Array<{ readonly query: string; readonly authorization: string | undefined }> = []
    let refusal: { readonly status: number; readonly body: string } | undefined
    /** Samples after this time have not been scraped yet. */
    let scraped = Infinity
    const server = createServer((request, response) => {
      const { pathname, searchParams: given } = new URL(request.url!, "http://localhost")
      const answer = (status: number, body: unknown) =>
        response
          .writeHead(status, { "content-type": "application/json" })
          .end(typeof body === "string" ? body : JSON.stringify(body))
      asked.push({ query: given.get("query") ?? "", authorization: request.headers.authorization })
      if (refusal !== undefined) return answer(refusal.status, refusal.body)
      if (pathname !== "/prom/api/v1/query_range") return answer(404, "not found")
      const [start, end, step] = ["start", "end", "step"].map((name) => Number(given.get(name)) * 1_000)
      const text = given.get("query") ?? ""
      const points: Array<[number, string]> = []
      const matrix = (values: ReadonlyArray<[number, string]>) =>
        answer(200, {
          status: "success",
          data: { resultType: "matrix", result: values.length === 0 ? [] : [{ metric: {}, values }] }
        })
      if (text.startsWith("latency")) return matrix([[end! / 1_000, text.includes("p95") ? "0.25" : "0.1"]])
      if (text.startsWith("quantile")) return matrix([[end! / 1_000, "NaN"]])
      const [, version = "", failed, range = ""] = query.exec(text) ?? []
      if (range === "") return answer(400, { status: "error", error: "parse error" })
      const own = counted.filter((one) => one.version === version.replaceAll(/\\(.)/g, "$1"))
      for (let at = start!; at <= end! && own.length > 0; at += step!) {
        if (at > scraped) break
        const within = own.filter((one) => one.at > at - Number(range) * 1_000 && one.at <= at)
        points.push([at / 1_000, String(within.filter((one) => failed === undefined || one.failed).length + 0.2)])
      }
      matrix(points)
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/prom`,
      asked,
      count: (request: Request) => void counted.push(request),
      refuse: (status: number, body: string) => {
        refusal = { status, body }
      },
      scrapeUntil: (at: number) => {
        scraped = at
      },
      close: () => {
        server.closeAllConnections()
        return new Promise((resolve) => server.close(resolve))
      }
    }
  }),
  ({ close }) => Effect.promise(close)
)

export const queries = {
  requests: `sum(increase(http_requests_total{version="$version"}[$window]))`,
  errors: `sum(increase(http_requests_total{version="$version",code=~"5.."}[$window]))`
}
