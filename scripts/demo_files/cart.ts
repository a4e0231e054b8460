// A shopping cart: lines, discounts, totals.

export interface Product {
  id: string;
  name: string;
  price: number;
}

export interface CartLine {
  product: Product;
  quantity: number;
}

export interface Discount {
  code: string;
  percent: number;
}

export class Cart {
  private lines: CartLine[] = [];
  private discounts: Discount[] = [];

  add(product: Product, quantity = 1): void {
    const line = this.lines.find((line) => line.product.id === product.id);
    if (line) {
      line.quantity += quantity;
    } else {
      this.lines.push({ product, quantity });
    }
  }

  remove(product: Product): void {
    this.lines = this.lines.filter((line) => line.product.id !== product.id);
  }

  discount(discount: Discount): void {
    this.discounts.push(discount);
  }

  get count(): number {
    return this.lines.reduce((sum, line) => sum + line.quantity, 0);
  }

  get total(): number {
    const full = this.lines.reduce((sum, line) => sum + line.quantity * line.product.price, 0);
    return this.discounts.reduce((sum, discount) => sum * (1 - discount.percent / 100), full);
  }
}
