/**
 * Both sides of a proxy as bytes: applications that answer anything, clients that send anything.
 */
import * as net from "node:net"
import { Proxy } from "../src/supervisor/proxy/Proxy.ts"
import { Requests } from "../src/supervisor/proxy/Requests.ts"
import { Upstream } from "../src/supervisor/proxy/Upstream.ts"

const listening = (server: net.Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as net.AddressInfo).port)))

/** An application as raw as it gets: it is handed each connection, and what arrived on it so far whenever more arrives. */
export type RawApp = (socket: net.Socket, received: Buffer, connection: number) => void

export interface Proxied {
  readonly port: number
  readonly requests: Requests
  readonly upstream: Upstream
  readonly proxy: Proxy
  readonly connections: () => number
  readonly stop: () => Promise<void>
}

const rawServer = (app: RawApp, sockets: Set<net.Socket>): net.Server => {
  let connections = 0
  return net.createServer({ allowHalfOpen: true }, (socket) => {
    const connection = ++connections
    sockets.add(socket)
    let received = Buffer.alloc(0)
    socket.on("error", () => undefined)
    socket.on("end", () => socket.end())
    socket.on("data", (data) => {
      received = Buffer.concat([received, data])
      app(socket, received, connection)
    })
  })
}

/** Proxies one application, or one for each of two releases that share the requests. */
export const proxied = async (
  ...servers: ReadonlyArray<net.Server | RawApp>
): Promise<Proxied & { readonly all: ReadonlyArray<Upstream> }> => {
  const sockets = new Set<net.Socket>()
  const proxy = new Proxy("web")
  const started = servers.map((server) => (typeof server === "function" ? rawServer(server, sockets) : server))
  let connections = 0
  const all: Array<Upstream> = []
  for (const [index, server] of started.entries()) {
    server.on("connection", (socket) => {
      connections += 1
      sockets.add(socket)
    })
    const upstream = new Upstream(
      `r${index}`,
      server.listening ? (server.address() as net.AddressInfo).port : await listening(server),
      new Requests()
    )
    upstream.ready = true
    proxy.balancer.add(upstream.releaseId, upstream)
    all.push(upstream)
  }
  proxy.balancer.setWeights(Object.fromEntries(all.map(({ releaseId }) => [releaseId, 100])))
  const free = net.createServer()
  const port = await listening(free)
  await new Promise((resolve) => free.close(resolve))
  await proxy.listen(port)
  return {
    port,
    proxy,
    all,
    upstream: all[0]!,
    requests: all[0]!.requests,
    connections: () => connections,
    stop: async () => {
      await proxy.close()
      for (const upstream of all) upstream.close()
      for (const socket of sockets) socket.destroy()
      await Promise.all(started.map((server) => new Promise((resolve) => server.close(resolve))))
    }
  }
}

/** Sends bytes, and collects the answer until the other side closes, or until there is enough. */
export const exchange = (
  port: number,
  bytes: string | Buffer,
  enough: (received: string) => boolean = () => false,
  timeout = 5000
): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1")
    let received = ""
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no end after ${timeout} ms: ${JSON.stringify(received.slice(0, 200))}`))
    }, timeout)
    const done = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(received)
    }
    socket.on("error", done)
    socket.on("close", done)
    socket.on("data", (data) => {
      received += data.toString("latin1")
      if (enough(received)) done()
    })
    socket.write(bytes, "latin1")
  })

export const head = (line: string, ...fields: ReadonlyArray<string>): string =>
  `${[line, "Host: shop.example", ...fields].join("\r\n")}\r\n\r\n`
