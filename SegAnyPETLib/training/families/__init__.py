"""What differs between the families of networks in training."""
