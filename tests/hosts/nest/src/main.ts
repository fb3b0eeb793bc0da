import "reflect-metadata";
import { NestFactory } from "@nestjs/core";
import type { NestExpressApplication } from "@nestjs/platform-express";
import { WsAdapter } from "@nestjs/platform-ws";
import { App } from "./app.js";

const app = await NestFactory.create<NestExpressApplication>(App);
app.useStaticAssets("public");
app.useWebSocketAdapter(new WsAdapter(app));
await app.listen(Number(process.env.PORT), "127.0.0.1");
