mod seal;
mod ticket;
