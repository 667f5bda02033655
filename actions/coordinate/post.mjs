import { cleanUp } from "./lib/cleanup.mjs"

await cleanUp(process.env)
