// The same on Socket.IO, over WebSockets only. Usage: node socketio.mjs PORT
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
io.on("connection", (socket) => {
  socket.on("message", (data) => io.emit("message", data));
});
http.listen(Number(process.argv[2]), "127.0.0.1");
