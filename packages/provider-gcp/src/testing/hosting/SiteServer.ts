/**
 * An address of a site or of a preview channel: it answers with the files and the configuration of a version, by the
 * engine of the official emulator.
 */
import { createRequire } from "node:module"
import { createServer, request as open, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { Readable } from "node:stream"
import type { RunTargetJson, ServingConfigJson } from "./HostingState.ts"

type Handler = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void

/** What the engine asks for a path. */
interface FileAnswer {
  readonly stream: Readable
  readonly size: number
  readonly etag: string
  readonly modified: number
}

type Engine = (spec: {
  readonly config: () => Promise<object>
  readonly provider: (request: unknown, path: string) => Promise<FileAnswer | null>
  readonly rewriters: Readonly<Record<string, (rewrite: Readonly<Record<string, unknown>>) => Promise<Handler>>>
  readonly stack: "strict"
  readonly compression: boolean
  readonly fallthrough: boolean
}) => Handler

/** The files of a version. */
export interface Contents {
  readonly config: ServingConfigJson
  readonly file: (
    path: string
  ) => { readonly body: Buffer; readonly hash: string; readonly modified: number } | undefined
  /** The address of a service of Cloud Run, or of one of its tags; undefined if there is none. */
  readonly run: (target: RunTargetJson) => string | undefined
}

const engine = (): Engine => {
  try {
    // Its types know neither providers nor functions.
    return (createRequire(import.meta.url)("superstatic") as { readonly default: Engine }).default
  } catch (error) {
    throw new Error("The simulator serves sites by superstatic: npm install --save-dev superstatic", { cause: error })
  }
}

const pattern = ({ glob, regex }: { readonly glob?: string; readonly regex?: string }) =>
  glob === undefined ? { regex } : { source: glob }

/** The configuration as the engine has it, from the words of the API. */
const engineConfig = (config: ServingConfigJson): object => ({
  ...(config.headers && {
    headers: config.headers.map(({ headers, ...rule }) => ({
      ...pattern(rule),
      headers: Object.entries(headers).map(([key, value]) => ({ key, value }))
    }))
  }),
  ...(config.redirects && {
    redirects: config.redirects.map(({ location, statusCode, ...rule }) => ({
      ...pattern(rule),
      destination: location,
      ...(statusCode === undefined ? {} : { type: statusCode })
    }))
  }),
  ...(config.rewrites && {
    rewrites: config.rewrites.map(({ function: id, path, run, ...rule }) => ({
      ...pattern(rule),
      ...(path === undefined ? {} : { destination: path }),
      ...(run === undefined ? {} : { run }),
      ...(id === undefined ? {} : { function: id })
    }))
  }),
  ...(config.cleanUrls === undefined ? {} : { cleanUrls: config.cleanUrls }),
  ...(config.trailingSlashBehavior === undefined ? {} : { trailingSlash: config.trailingSlashBehavior === "ADD" }),
  ...(config.i18n === undefined ? {} : { i18n: config.i18n })
})

const forward =
  (origin: string): Handler =>
  (incoming, response) => {
    const { headers, method, url } = incoming
    const request = open(new URL(url ?? "/", origin), { method: method!, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    request.once("error", () => {
      if (!response.headersSent) response.writeHead(502)
      response.end()
    })
    incoming.pipe(request)
  }

const handlerOf = ({ config, file, run }: Contents): Handler =>
  engine()({
    // A function, because the engine would merge an object with a firebase.json of the working directory.
    config: async () => engineConfig(config),
    provider: async (_, path) => {
      const found = file(decodeURI(path))
      if (found === undefined) return null
      const { body, hash, modified } = found
      return { stream: Readable.from([body]), size: body.length, etag: hash, modified }
    },
    rewriters: {
      run: async ({ run: target }) => {
        const origin = run(target as RunTargetJson)
        return origin === undefined ? (_, response) => void response.writeHead(404).end() : forward(origin)
      },
      function: async () => (_, response) => void response.writeHead(404).end()
    },
    stack: "strict",
    compression: true,
    fallthrough: false
  })

const nothing: Handler = (_, response) => {
  response.writeHead(404, { "content-type": "text/html" }).end("Site Not Found")
}

export class SiteServer {
  readonly #server: Server
  #handler: Handler = nothing

  /** `isOver` tells that it has expired. */
  constructor(isOver: () => boolean) {
    this.#server = createServer((request, response) => {
      const handler = isOver() ? nothing : this.#handler
      handler(request, response, (error) => {
        if (response.headersSent) response.end()
        else response.writeHead(error === undefined ? 404 : 500).end()
      })
    })
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve))
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Answers from that version from now on, all requests at once; without one, that nothing is there. */
  show(contents: Contents | undefined): void {
    this.#handler = contents === undefined ? nothing : handlerOf(contents)
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }
}
