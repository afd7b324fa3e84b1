import "./style/index.css";
import { render } from "preact";
import { App } from "./app";
import { startMetrics } from "./lib/metrics";

startMetrics();
render(<App />, document.getElementById("app")!);
