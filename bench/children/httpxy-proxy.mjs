// A bare proxy: everything to the port that the last line on stdin named.
import { createServer } from "node:http"
import { createInterface } from "node:readline"
import { Agent } from "node:http"
import { createProxyServer } from "httpxy"

const [port, first] = process.argv.slice(2)
let target = first
const agent = new Agent({ keepAlive: true })
const proxy = createProxyServer({ agent })
createServer((request, response) => {
  proxy.web(request, response, { target: `http://127.0.0.1:${target}` }).catch(() => response.destroy())
}).listen(Number(port), "127.0.0.1", () => console.log("ready"))
createInterface({ input: process.stdin }).on("line", (line) => {
  target = line
  console.log("switched")
})
