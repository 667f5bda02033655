import { coordinate } from "./lib/coordinate.mjs"

process.exitCode = await coordinate(process.env)
