// Answers every request with its version.
import { createServer } from "node:http"

const version = process.env["SIGNALBOX_VERSION"] ?? process.argv[3]
createServer((request, response) => request.resume().on("end", () => response.end(version))).listen(
  Number(process.env["PORT"] ?? process.argv[2]),
  "127.0.0.1"
)
process.on("SIGTERM", () => process.exit(0))
