import { createServer } from "node:http"

createServer((_, response) => response.end(`hello from ${process.env.SIGNALBOX_VERSION}\n`)).listen(process.env.PORT)
