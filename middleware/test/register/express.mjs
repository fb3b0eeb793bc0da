import express from "express";
import { folder, port, served, talk } from "./application.mjs";

const app = express();
app.use(express.static(folder));
app.use((req, res) => void served(req, res));
talk(app.listen(port, "127.0.0.1"));
