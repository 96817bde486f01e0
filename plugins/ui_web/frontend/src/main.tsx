/** Where the page begins. */
import { render } from "preact";
import { start } from "./app/router";
import { Shell } from "./app/shell";
import { startTheme } from "./app/theme";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/shell.css";

startTheme();
start();
const root = document.getElementById("app");
if (root) render(<Shell />, root);
