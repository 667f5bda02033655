// One service of the shop: answers itself, and calls its dependency.
import { Agent, createServer, get } from "node:http"
import { answers } from "./behaviour.mjs"

const role = process.argv[2]
const { PORT, SIGNALBOX_VERSION: version, UPSTREAM: upstream } = process.env
const agent = new Agent({ keepAlive: true })

const ask = (url) =>
  new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      response
        .resume()
        .on("end", () => resolve(response.statusCode))
        .on("error", reject)
    }).on("error", reject)
  })

createServer(async (request, response) => {
  if (request.url === "/ready") return response.end("ready")
  const status = answers(role)
  const below = upstream === undefined ? 200 : await ask(upstream).catch(() => 502)
  response.writeHead(below === 200 ? status : 502, { "content-type": "application/json", "x-version": version })
  request.resume().on("end", () => response.end(JSON.stringify({ role, version })))
}).listen(Number(PORT), "127.0.0.1")

process.on("SIGTERM", () => process.exit(0))
