import { createServer, request as open } from "node:http"
import type { AddressInfo } from "node:net"

/** A way to the emulator on which its clock is ahead of this host's by so many ms. */
export const turnedClock = async (target: string, by: number) => {
  const server = createServer((request, response) => {
    const { headers, method, url } = request
    const onwards = open(new URL(target), { agent: false, method: method!, path: url!, headers }, (answer) => {
      const date = new Date(Date.parse(answer.headers.date!) + by).toUTCString()
      response.writeHead(answer.statusCode!, { ...answer.headers, date })
      answer.pipe(response)
    })
    onwards.on("error", () => response.destroy())
    request.pipe(onwards)
  })
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}
