// The wrong set-up: the gate behind the routes.
import { middleware, session } from "doorward/node";
import express from "express";

const app = express();
app.get("/dashboard", (req, res) => res.send(`content:dashboard who:${session(req)?.subject}`));
app.use(middleware());
app.listen(Number(process.env.PORT), "127.0.0.1");
